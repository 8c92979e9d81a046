// The page around the views: who is logged in, where one can go, and the view that the URL names.
import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useRoute, href } from './route'
import { current, forget, resume, type User } from './session'
import { useSignal } from './signal'
import { closeModal, ModalHost } from './ui/modal'
import { Toast } from './ui/toast'
import { Button, Empty, Failure, Link, Loading, Text } from './ui/parts'
import { Accounts } from './pages/accounts'
import { Addresses } from './pages/addresses'
import { Clusters } from './pages/clusters'
import { Health } from './pages/health'
import { History } from './pages/history'
import { Import } from './pages/import'
import { LogIn } from './pages/login'
import { OwnAddresses } from './pages/own'
import { Pool } from './pages/pool'

interface View {
  name: string // in the URL
  title: string
  page: (props: { user: User }) => VNode
  hidden?: boolean // from the navigation
}

const adminViews: View[] = [
  { name: '', title: 'Pool', page: Pool },
  { name: 'addresses', title: 'Addresses', page: Addresses },
  { name: 'import', title: 'Import', page: Import, hidden: true },
  { name: 'accounts', title: 'Accounts', page: Accounts },
  { name: 'clusters', title: 'Clusters', page: Clusters },
  { name: 'history', title: 'History', page: History },
  { name: 'health', title: 'Health', page: Health },
]

const ownViews: View[] = [
  { name: 'addresses', title: 'Addresses', page: OwnAddresses },
  { name: 'history', title: 'History', page: History },
]

export function App() {
  const session = useSignal(current)
  useEffect(() => {
    if (session.state !== 'in') closeModal()
  }, [session])
  switch (session.state) {
    case 'starting':
      return <main class="alone"><Loading what="Checking the session" /></main>
    case 'failed':
      return (
        <main class="alone">
          <h1>junctor</h1>
          <Failure error={session.error} retry={() => void resume()} />
          <p><Button kind="quiet" onClick={() => forget()}>Log out</Button></p>
        </main>
      )
    case 'out':
      return <LogIn reason={session.reason} />
    case 'in':
      return <><ModalHost><Shell user={session.user} /></ModalHost><Toast /></>
  }
}

function Shell({ user }: { user: User }) {
  const route = useRoute()
  const views = user.superduper ? adminViews : ownViews
  const asked = views.find((v) => v.name === route.view) ?? (route.view === '' ? views[0] : undefined)
  const content = useRef<HTMLElement>(null)
  const before = useRef(route.view)
  useEffect(() => {
    if (before.current === route.view) return
    before.current = route.view
    content.current?.focus({ preventScroll: true }) // a screen reader reads the new page
    scrollTo(0, 0)
  }, [route.view])
  const Page = asked?.page
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={(event) => {
        event.preventDefault()
        content.current?.focus()
      }}>Skip to the content</a>
      <header class="side">
        <p class="brand"><span class="logo" aria-hidden="true" />junctor</p>
        <nav aria-label="Pages">
          <ul>
            {views.filter((v) => !v.hidden).map((v) => (
              <li key={v.name}><Link href={href(v.name)} current={v === asked}>{v.title}</Link></li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <p class="muted">{user.superduper ? 'Administrator' : 'Account'}</p>
          <p class="name"><Text>{user.accountName}</Text></p>
          <Button kind="quiet" onClick={() => forget()}>Log out</Button>
        </div>
      </header>
      <main id="content" ref={content} tabIndex={-1}>
        {Page ? <Page key={asked.name} user={user} /> : <Nowhere home={views[0]!} />}
      </main>
    </div>
  )
}

function Nowhere({ home }: { home: View }) {
  return (
    <Empty>
      <h1>No such page</h1>
      <p><Link href={href(home.name)}>Back to the start</Link></p>
    </Empty>
  )
}
