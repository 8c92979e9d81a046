// Changes of addresses as a time line.
import type { Event } from '../api'
import { AccountName } from '../names'
import { href } from '../route'
import { Empty, Link, Text, Time } from './parts'

const sources: Record<string, string> = {
  api: 'through the API', sup: 'with sup', cli: 'on the command line', elsewhere: 'elsewhere',
}

/** What happened, in one sentence. */
export function Happened({ event }: { event: Event }) {
  const from = event.from ? <AccountName id={event.from} /> : undefined
  const to = event.to ? <AccountName id={event.to} /> : undefined
  switch (event.action) {
    case 'assigned': return <>Assigned {to && <>to {to}</>}</>
    case 'released': return <>Released {from && <>from {from}</>}</>
    case 'moved': return <>Moved {from && <>from {from}</>} {to && <>to {to}</>}</>
    case 'created': return <>Created {to && <>as assigned to {to}</>}</>
    case 'deleted': return <>Deleted {from && <>while assigned to {from}</>}</>
    case 'edited': return <>Edited {to && <span class="muted">while assigned to {to}</span>}</>
    default: return <Text>{event.action}</Text>
  }
}

/** Who did it, as far as the token may know. */
export function Actor({ event }: { event: Event }) {
  return (
    <span class="muted">
      {event.auth_account_id ? <>by <AccountName id={event.auth_account_id} />{event.auth_user_id && <>, user <Text mono>{event.auth_user_id}</Text></>}, </>
        : event.auth_user_id && <>by <Text mono>{event.auth_user_id}</Text>, </>}
      {event.source ? sources[event.source] ?? <Text>{event.source}</Text> : null}
      {event.client && <>, from <Text mono>{event.client}</Text></>}
    </span>
  )
}

export function TimeLine({ events, showAddress }: { events: Event[]; showAddress?: boolean }) {
  if (events.length === 0) return <Empty>Nothing is recorded.</Empty>
  return (
    <ol class="timeline">
      {events.map((event) => (
        <li key={event.id} class={event.action}>
          <Time at={event.at} />
          <div>
            {showAddress && <><Link href={href('addresses', { ip: event.ip })} class="mono"><Text mono>{event.ip}</Text></Link> {event.zone && <span class="muted"><Text>{event.zone}</Text></span>} </>}
            <span class="what"><Happened event={event} /></span>
            <div class="small"><Actor event={event} /></div>
          </div>
        </li>
      ))}
    </ol>
  )
}
