import { ageOf } from './clock.js'
import { byId, setText } from './dom.js'
import type { ConnectionState } from './stream.js'
import { moment } from './words.js'

let timer = 0

/** Says how the connection is; the seconds go by for the eye only, who listens hears of changes. */
export function showConnection(state: ConnectionState): void {
  clearInterval(timer)
  const place = byId('connection')
  const isAgain = place.dataset['state'] === 'lost'
  if (state.state !== 'connecting' || !isAgain) place.dataset['state'] = state.state
  const word = byId('connection-state')
  const seconds = byId('countdown')
  setText(seconds, '')
  if (state.state === 'live') setText(word, 'live')
  else if (state.state === 'connecting') {
    if (isAgain) setText(seconds, ', retrying now')
    else setText(word, 'connecting')
  } else {
    setText(word, 'lost')
    const tick = (): void => {
      const left = Math.max(0, Math.ceil((state.retryAt - performance.now()) / 1000))
      setText(seconds, `, retrying in ${left} s`)
    }
    tick()
    timer = setInterval(tick, 250)
  }
}

/** Says above everything that what is shown is of the past. @param at when the facts were so, by the server's clock */
export function showStaleness({ state }: ConnectionState, at: string | undefined): void {
  const stale = byId('stale')
  document.documentElement.toggleAttribute('data-stale', state !== 'live' && at !== undefined)
  stale.hidden = state === 'live' || at === undefined
  if (state !== 'lost' || at === undefined) return
  stale.replaceChildren(`The connection is lost. This is how things were at ${moment(at)}, `, ageOf(at, ' ago'), '.')
}
