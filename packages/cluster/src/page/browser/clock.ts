import { element, setText } from './dom.js'
import { age, moment } from './words.js'

/** Milliseconds by which the server's clock is ahead of ours: ages are counted by the server's. */
let ahead = 0

/** Takes the server's time of day. */
export function synchronize(at: string): void {
  ahead = Date.parse(at) - Date.now()
}

/** An age that goes on, with the moment itself where the pointer rests. */
export const ageOf = (timestamp: string, suffix = ''): HTMLElement => {
  const made = element('time', { datetime: timestamp, title: moment(timestamp), 'data-suffix': suffix })
  refresh(made)
  return made
}

function refresh(time: HTMLTimeElement | HTMLElement): void {
  const timestamp = time.getAttribute('datetime') ?? ''
  setText(time, `${age(Date.now() + ahead - Date.parse(timestamp))}${time.dataset['suffix'] ?? ''}`)
}

/** Brings all ages on the page up to date. */
export function refreshAges(): void {
  for (const time of document.querySelectorAll('time')) refresh(time)
}
