// Fields of forms: a label, an input, a hint, and what the server says is wrong with it.
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { AccountRow, Finding } from '../api'
import { ApiError, get } from '../api'
import { useBehindModal } from './modal'
import { Text } from './parts'

interface Common {
  label: string
  value: string
  onInput: (value: string) => void
  hint?: ComponentChildren
  error?: string | undefined
  class?: string
  required?: boolean
}

interface Control {
  id: string
  'aria-describedby': string | undefined
  'aria-invalid': boolean | undefined
}

function Frame(props: Omit<Common, 'onInput'> & { children: (control: Control) => ComponentChildren; shown?: string }) {
  const id = useId()
  const behind = useBehindModal()
  if (behind) {
    return (
      <div class={`field ${props.class ?? ''}`}>
        <span class="label">{props.label}</span>
        <span class="input static">{props.shown ?? props.value}</span>
      </div>
    )
  }
  const described = [props.hint && `${id}-hint`, props.error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class={`field ${props.class ?? ''}`}>
      <label for={id}>{props.label}</label>
      {props.children({ id, 'aria-describedby': described || undefined, 'aria-invalid': props.error ? true : undefined })}
      {props.hint && <span class="hint" id={`${id}-hint`}>{props.hint}</span>}
      {props.error && <span class="error" id={`${id}-error`} role="alert"><bdi>{props.error}</bdi></span>}
    </div>
  )
}

const valueOf = (event: { currentTarget: { value: string } }) => event.currentTarget.value

export function TextField(props: Common & {
  type?: 'text' | 'password' | 'search' | 'number' | 'datetime-local'
  secret?: boolean // masked, but none of the browser's passwords
  autocomplete?: string
  suggestions?: string[]
  placeholder?: string
  min?: number
  max?: number
  mono?: boolean
  autofocus?: boolean
}) {
  const list = useId()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (props.autofocus) input.current?.focus()
  }, [])
  return (
    <Frame {...props} shown={props.type === 'password' || props.secret ? '' : props.value}>
      {(control) => (
        <>
          <input
            {...control}
            ref={input}
            class={`input ${props.mono ? 'mono' : ''} ${props.secret ? 'secret' : ''}`}
            type={(props.type ?? 'text') as 'text'}
            value={props.value}
            required={props.required}
            placeholder={props.placeholder}
            min={props.min}
            max={props.max}
            autocomplete={(props.autocomplete ?? 'off') as 'off'}
            autocapitalize="off"
            spellcheck={false}
            list={props.suggestions?.length ? list : undefined}
            onInput={(event) => props.onInput(valueOf(event))}
          />
          {props.suggestions && props.suggestions.length > 0 && (
            <datalist id={list}>
              {props.suggestions.slice(0, 500).map((s) => <option key={s} value={s} />)}
            </datalist>
          )}
        </>
      )}
    </Frame>
  )
}

export function AreaField(props: Common & { rows?: number; placeholder?: string }) {
  return (
    <Frame {...props}>
      {(control) => (
        <textarea {...control} class="input mono" rows={props.rows ?? 3} value={props.value} spellcheck={false}
          autocomplete="off" placeholder={props.placeholder} onInput={(event) => props.onInput(valueOf(event))} />
      )}
    </Frame>
  )
}

export function SelectField(props: Common & { options: { value: string; text: string }[] }) {
  const known = props.options.some((o) => o.value === props.value)
  return (
    <Frame {...props} shown={props.options.find((o) => o.value === props.value)?.text ?? props.value}>
      {(control) => (
        <select {...control} class="input" value={props.value} onChange={(event) => props.onInput(valueOf(event))}>
          {!known && <option value={props.value}>{props.value}</option>}
          {props.options.map((o) => <option key={o.value} value={o.value}>{o.text}</option>)}
        </select>
      )}
    </Frame>
  )
}

export function CheckField(props: { label: string; checked: boolean; onInput: (checked: boolean) => void; hint?: string }) {
  const id = useId()
  const behind = useBehindModal()
  if (behind) return <div class="check"><span>{props.label}</span></div>
  return (
    <div class="check">
      <input id={id} type="checkbox" checked={props.checked} aria-describedby={props.hint && `${id}-hint`}
        onChange={(event) => props.onInput(event.currentTarget.checked)} />
      <label for={id}>{props.label}</label>
      {props.hint && <span class="hint" id={`${id}-hint`}>{props.hint}</span>}
    </div>
  )
}

const isId = (text: string) => /^[0-9a-f]{32}$/.test(text)

/**
 * Finds the account that a text names: by its id, or by its name or realm if one account alone has it. Throws an ApiError
 * with a finding for the field "account" if there is none, or more than one.
 */
export async function findAccount(text: string): Promise<{ id: string; name: string }> {
  const wanted = text.trim()
  const refuse = (message: string) => new ApiError(400, message, [{ field: 'account', code: 'invalid', message }])
  if (!wanted) throw refuse('Name an account: by its name, realm or id.')
  if (isId(wanted)) return { id: wanted, name: wanted }
  const { data } = await get<AccountRow[]>('ips/accounts', { search: wanted, page_size: 50 })
  const lower = wanted.toLowerCase()
  const exact = data.filter((a) => a.realm.toLowerCase() === lower || a.name.toLowerCase() === lower)
  const found = exact.length ? exact : data
  const [only] = found
  if (only && found.length === 1) return only
  throw refuse(only ? 'Several accounts match: choose one of the list.' : 'No account has this name, realm or id.')
}

/** A field that an account is typed into: suggestions are accounts whose name or realm begins like that. */
export function AccountField(props: Common & { autofocus?: boolean }) {
  const list = useId()
  const [rows, setRows] = useState<AccountRow[]>([])
  const [open, setOpen] = useState(false)
  const [active, setActive] = useState(-1)
  const [chosen, setChosen] = useState<AccountRow>()
  const input = useRef<HTMLInputElement>(null)
  const leaving = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    if (props.autofocus) input.current?.focus()
    return () => clearTimeout(leaving.current)
  }, [])
  useEffect(() => {
    const text = props.value.trim()
    if (!open || !text || isId(text)) return setRows([])
    const abort = new AbortController()
    const timer = setTimeout(() => {
      get<AccountRow[]>('ips/accounts', { search: text, page_size: 8 }, abort.signal).then(
        (page) => {
          setRows(page.data)
          setActive(-1)
        },
        () => setRows([]), // the submission says what is wrong
      )
    }, 150)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [props.value, open])

  const choose = (row: AccountRow) => {
    setChosen(row)
    props.onInput(row.id)
    setOpen(false)
    input.current?.focus()
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      const step = event.key === 'ArrowDown' ? 1 : -1
      setActive((n) => (rows.length ? (n + step + rows.length) % rows.length : -1))
    } else if (event.key === 'Enter' && open && rows[active]) {
      event.preventDefault()
      choose(rows[active])
    } else if (event.key === 'Escape' && open && rows.length) {
      event.preventDefault()
      event.stopPropagation()
      setOpen(false)
    }
  }
  const typed = props.value.trim().toLowerCase()
  const exact = rows.filter((row) => row.name.toLowerCase() === typed || row.realm.toLowerCase() === typed)
  const visible = open && rows.length > 0 && exact.length !== 1 // one account needs no choice
  const name = chosen?.id === props.value ? chosen.name : undefined
  return (
    <Frame {...props} hint={name ? <Text>{name}</Text> : props.hint}>
      {(control) => (
        <div class="combo">
          <input {...control} ref={input} class="input" role="combobox" aria-expanded={visible} aria-controls={list}
            aria-autocomplete="list" aria-activedescendant={visible && active >= 0 ? `${list}-${active}` : undefined}
            autocomplete="off" spellcheck={false} value={props.value}
            onFocus={() => clearTimeout(leaving.current)}
            onInput={(event) => {
              clearTimeout(leaving.current)
              setOpen(true)
              props.onInput(valueOf(event))
            }}
            onKeyDown={onKey}
            onBlur={() => {
              leaving.current = setTimeout(() => setOpen(false), 150)
            }} />
          <ul id={list} role="listbox" aria-label="Suggestions" class={visible ? 'options' : 'options closed'}>
            {rows.map((row, n) => (
              <li key={row.id} id={`${list}-${n}`} role="option" aria-selected={n === active}
                onMouseDown={(event) => {
                  event.preventDefault()
                  choose(row)
                }}>
                <Text>{row.name}</Text> <span class="muted"><Text>{row.realm}</Text></span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Frame>
  )
}

/** Returns what an error says of a field, by the names that the server has for it, and what it says of none of them. */
export function split(error: ApiError | undefined, fields: Record<string, (field: string) => boolean>) {
  const at: Record<string, string | undefined> = {}
  const rest: Finding[] = []
  for (const finding of error?.findings ?? []) {
    const name = Object.keys(fields).find((key) => fields[key]!(finding.field))
    if (name) at[name] = at[name] ? `${at[name]} ${finding.message}` : finding.message
    else rest.push(finding)
  }
  const shown = error && (error.findings.length === 0 || rest.length > 0)
  return { at, rest: shown ? new ApiError(error.status, error.message, rest, error.data) : undefined }
}

export const named = (...names: string[]) => (field: string) => names.includes(field)
