// What can be done with addresses. Each dialog says what will happen, does it for one address or many, and shows what the
// server says of those that it refuses.
import { useRef, useState } from 'preact/hooks'
import { ApiError, call, seg, type Address } from './api'
import { AccountName, learn } from './names'
import { count, plural } from './time'
import { AccountField, AreaField, CheckField, findAccount, named, SelectField, split, TextField } from './ui/field'
import { ModalTitle, openModal } from './ui/modal'
import { asError, Button, Failure, Notice, Text } from './ui/parts'
import { say } from './ui/toast'

export type Action = 'assign' | 'release' | 'move' | 'edit' | 'delete'

export const actionNames: Record<Action, string> = {
  assign: 'Assign', release: 'Release', move: 'Move', edit: 'Edit', delete: 'Delete',
}

/** Reports whether an action makes sense for an address. */
export function applies(action: Action, row: Address): boolean {
  switch (action) {
    case 'assign': return row.status === 'available'
    case 'release':
    case 'move': return row.status === 'assigned' && !!row.assigned_to
    default: return true
  }
}

export interface Failed {
  row: Address
  error: ApiError
}

interface Request {
  action: Action
  rows: Address[]
  revision?: string | undefined // of the one address, where it is known
  zones: string[]
  hosts: string[]
  /** The account of a token that can act for no other. */
  ownAccount?: string
  done: (succeeded: Address[], failed: Failed[]) => void
}

export const openAction = (request: Request) => openModal((close) => <ActionDialog {...request} close={close} />)

const before: Record<Action, string> = {
  assign: 'assigned', release: 'released', move: 'moved', edit: 'changed', delete: 'deleted',
}

function ActionDialog(props: Request & { close: () => void }) {
  const { action, rows } = props
  const [one] = rows.length === 1 ? rows : []
  const [account, setAccount] = useState('')
  const [zone, setZone] = useState(one?.zone ?? '')
  const [host, setHost] = useState(one?.host ?? '')
  const [notes, setNotes] = useState(one?.notes ?? '')
  const [override, setOverride] = useState(false)
  const [error, setError] = useState<ApiError>()
  const [progress, setProgress] = useState<{ done: number; failed: Failed[] }>()
  const [running, setRunning] = useState(false)
  const stopped = useRef(false)
  const finished = progress !== undefined && !running

  const changes = () => {
    const patch: Record<string, string> = {}
    if (one ? zone !== one.zone : zone) patch['zone'] = zone
    if (one ? host !== one.host : host) patch['host'] = host
    if (one ? notes !== (one.notes ?? '') : notes) patch['notes'] = notes
    return patch
  }

  const submit = async (event: Event) => {
    event.preventDefault()
    if (running || finished) return
    setError(undefined)
    setRunning(true)
    stopped.current = false
    try {
      let target = { id: props.ownAccount ?? '', name: '' }
      if ((action === 'assign' || action === 'move') && !props.ownAccount) {
        target = await findAccount(account)
        if (target.name !== target.id) learn(target.id, target.name)
      }
      const patch = changes()
      if (action === 'edit' && Object.keys(patch).length === 0) {
        throw new ApiError(0, 'Nothing is changed.')
      }
      const act = (row: Address) => perform(action, row, target.id, patch, override, one && props.revision)
      if (one) {
        const after = await act(one)
        say(`${one.ip} is ${before[action]}.`)
        props.close()
        props.done([after], [])
        return
      }
      const succeeded: Address[] = []
      const failed: Failed[] = []
      setProgress({ done: 0, failed: [] })
      let next = 0
      const work = async () => {
        for (let row = rows[next++]; row && !stopped.current; row = rows[next++]) {
          try {
            succeeded.push(await act(row))
          } catch (cause) {
            const error = asError(cause)
            failed.push({ row, error })
            if (error.status === 401) stopped.current = true
          }
          setProgress({ done: succeeded.length + failed.length, failed: [...failed] })
        }
      }
      await Promise.all([work(), work(), work(), work()])
      say(`${plural(succeeded.length, 'address is', 'addresses are')} ${before[action]}.`)
      if (!failed.length && !stopped.current) props.close()
      props.done(succeeded, failed)
    } catch (cause) {
      setError(asError(cause))
      if (one && !(cause instanceof ApiError && cause.findings.some((f) => f.field === 'account'))) props.done([], [])
    } finally {
      setRunning(false)
    }
  }

  const { at, rest } = split(error, {
    account: (f) => f === 'account' || f === 'assigned_to',
    zone: named('zone'), host: named('host'), notes: named('notes'),
    address: (f) => f === 'ips' || f === 'ip' || f.startsWith('ips.') || f === one?.ip,
  })
  const cools = at['address'] !== undefined && error?.findings.some((f) => f.code === 'cooling')
  return (
    <form onSubmit={submit} noValidate>
      <ModalTitle>{one ? <>{actionNames[action]} <Text mono>{one.ip}</Text></> : `${actionNames[action]} ${plural(rows.length, 'address', 'addresses')}`}</ModalTitle>
      {!progress && (
        <>
          <p><Outcome action={action} rows={rows} own={!!props.ownAccount} /></p>
          {at['address'] && <Notice kind="error"><span><Text mono>{one?.ip}</Text>: <bdi>{at['address']}</bdi></span></Notice>}
          {(action === 'assign' || action === 'move') && !props.ownAccount && (
            <AccountField label="Account" value={account} onInput={setAccount} error={at['account']} autofocus
              hint="Type a name, a realm or an id" />
          )}
          {action === 'assign' && props.ownAccount && at['account'] && <Notice kind="error"><bdi>{at['account']}</bdi></Notice>}
          {action === 'edit' && (
            <>
              <TextField label="Zone" value={zone} onInput={setZone} suggestions={props.zones} error={at['zone']} autofocus
                {...(!one && { hint: 'Empty leaves it as it is' })} />
              <TextField label="Host" value={host} onInput={setHost} suggestions={props.hosts} error={at['host']}
                {...(!one && { hint: 'Empty leaves it as it is' })} />
              <AreaField label="Notes" value={notes} onInput={setNotes} error={at['notes']}
                {...(!one && { hint: 'Empty leaves them as they are' })} />
            </>
          )}
          {action === 'assign' && !props.ownAccount && cools && (
            <CheckField label="Assign it although it is cooling" checked={override} onInput={setOverride} />
          )}
          {rest && <Failure error={rest} />}
        </>
      )}
      {progress && (
        <>
          <progress max={rows.length} value={progress.done} aria-label="Progress" />
          <p role="status">
            {count(progress.done)} of {count(rows.length)} done
            {progress.failed.length > 0 && `, ${count(progress.failed.length)} failed and stay selected`}
            {finished && progress.done < rows.length && ', stopped'}
          </p>
          {progress.failed.length > 0 && <FailedList failed={progress.failed} />}
        </>
      )}
      <div class="actions">
        {finished
          ? <Button kind="primary" onClick={props.close}>Close</Button>
          : (
            <>
              {running && progress
                ? <Button onClick={() => { stopped.current = true }}>Stop</Button>
                : <Button onClick={props.close} disabled={running}>Cancel</Button>}
              <Button kind={action === 'delete' ? 'danger' : 'primary'} submit busy={running}>
                {action === 'edit' ? 'Save edit' : actionNames[action]}
              </Button>
            </>
          )}
      </div>
    </form>
  )
}

/** What failed, and why, in the server's words. */
function FailedList({ failed }: { failed: Failed[] }) {
  return (
    <ul class="failed" tabIndex={0} aria-label="What failed">
      {failed.slice(0, 100).map(({ row, error }) => (
        <li key={row.id}><Text mono>{row.ip}</Text> <bdi class="error">{reason(error)}</bdi></li>
      ))}
      {failed.length > 100 && <li class="muted">and {count(failed.length - 100)} more</li>}
    </ul>
  )
}

export const reason = (error: ApiError) => error.findings.map((f) => f.message).join(' ') || error.message

/** Makes one change, and returns the address as the server has it then. */
async function perform(action: Action, row: Address, account: string, patch: Record<string, string>, override: boolean,
  revision: string | undefined): Promise<Address> {
  const ip = `ips/${seg(row.id)}`
  const own = (id: string | undefined) => `accounts/${seg(id ?? '')}/ips/${seg(row.id)}`
  const format = { response_format: 'documented' }
  switch (action) {
    case 'assign': {
      const query = override ? { ...format, cooling: 'false' } : format
      return (await call<Address>('POST', own(account), { data: {}, query })).data
    }
    case 'release':
      return (await call<Address>('DELETE', own(account || row.assigned_to), { query: format })).data
    case 'move':
      return (await call<Address>('PATCH', ip, { data: { assigned_to: account }, ifMatch: revision })).data
    case 'edit':
      return (await call<Address>('PATCH', ip, { data: patch, ifMatch: revision })).data
    case 'delete':
      return (await call<Address>('DELETE', ip, { ifMatch: revision })).data
  }
}

/** Says what an action will do. */
function Outcome({ action, rows, own }: { action: Action; rows: Address[]; own: boolean }) {
  const [one] = rows.length === 1 ? rows : []
  const held = rows.filter((r) => r.assigned_to)
  const it = one ? 'The address' : `Each of the ${plural(rows.length, 'address', 'addresses')}`
  const holder = one?.assigned_to && !own ? <AccountName id={one.assigned_to} name={one.account_name} /> : 'its account'
  switch (action) {
    case 'assign':
      return <>{it} will be assigned to {own ? 'your account' : 'the account below'}, which is billed for it from then on. Billing may refuse.</>
    case 'release':
      return <>{it} will be taken from {own ? 'your account' : holder} and become available, at once or when it has cooled. Calls that use it stop working.</>
    case 'move':
      return <>{it} will be taken from {holder} and given to the account below, in one step. It is never available in between.</>
    case 'edit':
      return one
        ? <>Changes the document in the pool{one.assigned_to && <>, and the copy that {holder} has</>}. The address itself stays as it is.</>
        : <>What is filled in below replaces what each of the {plural(rows.length, 'address', 'addresses')} has.</>
    case 'delete':
      return (
        <>
          {it} will be taken out of the pool for good{held.length === 0 && '. Nobody has ' + (one ? 'it' : 'them') + ' at present'}.
          {held.length > 0 && (
            <strong> {one ? <>It is assigned to {holder}, which loses it.</> : `${count(held.length)} of them are assigned: their accounts lose them.`}</strong>
          )}
        </>
      )
  }
}

/** Lets the pool choose addresses for an account. */
export function openAllocate(options: { zones: string[]; account?: string; own?: boolean; done: () => void }) {
  openModal((close) => <AllocateDialog {...options} close={close} />)
}

function AllocateDialog(props: { zones: string[]; account?: string; own?: boolean; done: () => void; close: () => void }) {
  const [account, setAccount] = useState(props.account ?? '')
  const [quantity, setQuantity] = useState('1')
  const [zone, setZone] = useState('')
  const [spread, setSpread] = useState(false)
  const [error, setError] = useState<ApiError>()
  const [busy, setBusy] = useState(false)
  const [given, setGiven] = useState<string[]>()
  const fixedAccount = props.account !== undefined

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setError(undefined)
    setBusy(true)
    try {
      const target = fixedAccount ? { id: props.account! } : await findAccount(account)
      const data = { quantity: Number(quantity), ...(zone && { zone }), ...(spread && { spread }) }
      const { data: result } = await call<{ ips: (string | Address)[] }>('POST', `accounts/${seg(target.id)}/ips`,
        { data, query: { response_format: 'documented' } })
      setGiven(result.ips.map((ip) => typeof ip === 'string' ? ip : ip.ip))
      say(`${plural(result.ips.length, 'address is', 'addresses are')} assigned.`)
      props.done()
    } catch (cause) {
      setError(asError(cause))
    } finally {
      setBusy(false)
    }
  }
  const { at, rest } = split(error, { account: named('account'), quantity: named('quantity'), zone: named('zone'), spread: named('spread') })
  const short = rest && rest.status === 409 ? rest.message : undefined
  if (given) {
    return (
      <div>
        <ModalTitle>Allocated</ModalTitle>
        <p role="status">{plural(given.length, 'address is', 'addresses are')} assigned:</p>
        <ul class="failed" tabIndex={0} aria-label="Addresses allocated">
          {given.map((ip) => <li key={ip}><Text mono>{ip}</Text></li>)}
        </ul>
        <div class="actions"><Button kind="primary" onClick={props.close}>Close</Button></div>
      </div>
    )
  }
  return (
    <form onSubmit={submit} noValidate>
      <ModalTitle>Allocate addresses</ModalTitle>
      <p>
        The pool chooses available addresses and assigns them to {props.own ? 'your account' : fixedAccount ? <AccountName id={account} /> : 'the account below'},
        all of them or none. Billing may refuse.
      </p>
      {!fixedAccount && <AccountField label="Account" value={account} onInput={setAccount} error={at['account']} autofocus
        hint="Type a name, a realm or an id" />}
      <TextField label="Quantity" type="number" min={1} max={1000} value={quantity} onInput={setQuantity}
        error={at['quantity'] ?? short} autofocus={fixedAccount} />
      <SelectField label="Zone" value={zone} onInput={setZone} error={at['zone']}
        options={[{ value: '', text: 'Any zone' }, ...props.zones.map((z) => ({ value: z, text: z }))]} />
      {!zone && <CheckField label="Spread" checked={spread} onInput={setSpread} hint="In parts as equal as can be, from all zones" />}
      {rest && !short && <Failure error={rest} />}
      <div class="actions">
        <Button onClick={props.close} disabled={busy}>Cancel</Button>
        <Button kind="primary" submit busy={busy}>Allocate</Button>
      </div>
    </form>
  )
}
