// One dialog at a time, above the page.
import type { ComponentChildren, VNode } from 'preact'
import { createContext } from 'preact'
import { useContext, useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { signal, useSignal } from '../signal'

type Render = (close: () => void) => VNode

const shown = signal<Render | null>(null)

/** Opens a dialog. */
export const openModal = (render: Render) => shown.set(render)
export const closeModal = () => shown.set(null)

const InModal = createContext(false)

/**
 * Reports whether what asks is behind a dialog. Fields are shown as plain text then: each label names one field, that of
 * the dialog.
 */
export function useBehindModal(): boolean {
  const open = useSignal(shown) !== null
  return open && !useContext(InModal)
}

/** The page, and the dialog above it. */
export function ModalHost({ children }: { children: ComponentChildren }) {
  const render = useSignal(shown)
  return (
    <>
      <div class="behind" aria-hidden={render ? 'true' : undefined} inert={render !== null}>
        {children}
      </div>
      {render && (
        <InModal.Provider value={true}>
          <Modal render={render} />
        </InModal.Provider>
      )}
    </>
  )
}

function Modal({ render }: { render: Render }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const opener = useRef(document.activeElement)
  useLayoutEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal()
  }, [])
  useEffect(() => {
    const from = opener.current
    return () => {
      setTimeout(() => {
        if (document.activeElement === document.body || !document.activeElement) {
          const target = from instanceof HTMLElement && from.isConnected && from !== document.body ? from : null
          ;(target ?? document.getElementById('content'))?.focus()
        }
      })
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class="modal"
      aria-labelledby="modal-title"
      onCancel={(event) => {
        event.preventDefault()
        if (!dialog.current?.querySelector('[aria-busy=true]')) closeModal()
      }}
    >
      {render(closeModal)}
    </dialog>
  )
}

export const ModalTitle = ({ children }: { children: ComponentChildren }) => <h2 id="modal-title">{children}</h2>
