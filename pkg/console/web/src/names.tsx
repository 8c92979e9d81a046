// Names of accounts by their ids, as the server has last given them.
import { useEffect, useState } from 'preact/hooks'
import { get, type AccountRow } from './api'
import { href } from './route'
import { current } from './session'
import { useSignal } from './signal'
import { Link, Text } from './ui/parts'

const names = new Map<string, string>()
const asked = new Map<string, Promise<string>>()

/** Remembers a name that came with something else. */
export function learn(id: string | undefined, name: string | undefined) {
  if (id && name) names.set(id, name)
}

function ask(id: string): Promise<string> {
  let answer = asked.get(id)
  if (!answer) {
    answer = get<AccountRow[]>('ips/accounts', { search: id, page_size: 1 }).then(
      (page) => page.data.find((a) => a.id === id)?.name ?? '',
      () => '',
    )
    asked.set(id, answer)
    if (asked.size > 5000) asked.clear()
  }
  return answer
}

/** The name of an account, or its id while the name is not known. Administrators get a link to the account. */
export function AccountName({ id, name }: { id: string; name?: string | undefined }) {
  const session = useSignal(current)
  const user = session.state === 'in' ? session.user : undefined
  const given = name || names.get(id) || (id === user?.accountId ? user.accountName : '')
  const [found, setFound] = useState(given)
  useEffect(() => {
    if (given || !user?.superduper) return
    let gone = false
    void ask(id).then((text) => {
      learn(id, text)
      if (!gone) setFound(text)
    })
    return () => {
      gone = true
    }
  }, [id, given])
  const text = given || found
  const shown = text ? <Text>{text}</Text> : <Text mono>{id}</Text>
  return user?.superduper ? <Link href={href('accounts', { id })} class="cut">{shown}</Link> : <span class="cut">{shown}</span>
}
