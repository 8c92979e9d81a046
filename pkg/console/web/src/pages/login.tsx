import { useState } from 'preact/hooks'
import type { ApiError } from '../api'
import { issuesTokens, logIn } from '../session'
import { TextField } from '../ui/field'
import { asError, Button, Notice, useTitle } from '../ui/parts'

const empty = { userName: '', password: '', account: '', apiKey: '', token: '' }

export function LogIn({ reason }: { reason?: string | undefined }) {
  useTitle('Log in')
  const [form, setForm] = useState(empty)
  const [error, setError] = useState<ApiError>()
  const [incomplete, setIncomplete] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)
  const input = (name: keyof typeof empty) => (value: string) => setForm((f) => ({ ...f, [name]: value }))

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    const missing = check(form)
    setIncomplete(missing)
    setError(undefined)
    if (Object.keys(missing).length) return
    setBusy(true)
    try {
      await logIn(form)
    } catch (cause) {
      setError(asError(cause))
      setBusy(false)
    }
  }
  return (
    <main class="alone login">
      <p class="brand"><span class="logo" aria-hidden="true" />junctor</p>
      <form onSubmit={submit} noValidate aria-labelledby="log-in">
        <h1 id="log-in">Log in</h1>
        {reason && !error && <Notice kind="warn">{reason}</Notice>}
        {error && <Notice kind="error"><bdi>{explain(error)}</bdi></Notice>}
        {issuesTokens ? (
          <>
            <TextField label="User name" value={form.userName} onInput={input('userName')} autocomplete="username"
              error={incomplete['userName']} />
            <TextField label="Password" type="password" value={form.password} onInput={input('password')}
              autocomplete="current-password" error={incomplete['password']} />
            <TextField label="Account" value={form.account} onInput={input('account')} autocomplete="organization"
              hint="Its name or its realm" error={incomplete['account']} />
            <p class="or"><span>or</span></p>
            <TextField label="API key" secret value={form.apiKey} onInput={input('apiKey')} mono
              error={incomplete['apiKey']} />
          </>
        ) : (
          <>
            <p>
              This server does not issue tokens. Log in to Kazoo, where your tokens come from: in Monster UI, or with
              PUT user_auth or api_auth of its Crossbar. Then paste the token here.
            </p>
            <TextField label="Token" secret value={form.token} onInput={input('token')} mono
              error={incomplete['token']} hint="The auth_token of the response to the login" />
          </>
        )}
        <Button kind="primary" submit busy={busy}>Log in</Button>
      </form>
    </main>
  )
}

/** Returns what is missing, by field. */
function check(form: typeof empty): Record<string, string> {
  if (!issuesTokens) return form.token.trim() ? {} : { token: 'Paste a token.' }
  if (form.apiKey.trim()) return {}
  const missing: Record<string, string> = {}
  if (!form.userName) missing['userName'] = 'Enter the user name, or an API key below.'
  if (!form.password) missing['password'] = 'Enter the password.'
  if (!form.account.trim()) missing['account'] = 'Enter the name or the realm of the account.'
  return missing
}

function explain(error: ApiError): string {
  if (error.status === 401) return issuesTokens ? 'The server does not know these credentials.' : 'The server does not accept this token.'
  if (error.status === 404 || (error.status === 403 && !error.findings.length) || error.findings.some((f) => f.field === 'api_key')) {
    return 'The server does not know this API key.'
  }
  if (error.findings.length) return error.findings.map((f) => f.message).join(' ')
  return error.message
}
