import { byId, setText } from './dom.js'

const KEY = 'typemetal-theme'
const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]

/** Where a browser keeps nothing for this page, the theme lasts as long as the page. */
let current: Theme = 'auto'

/** Takes the theme that was chosen last, before anything is drawn. */
export function restoreTheme(): void {
  try {
    current = THEMES.find(theme => theme === localStorage.getItem(KEY)) ?? 'auto'
  } catch {
    current = 'auto'
  }
  show()
}

/** Lets the button go from one theme to the next. */
export function offerThemes(): void {
  const button = byId('theme')
  const label = (): void => setText(button, `Theme: ${current}`)
  button.addEventListener('click', () => {
    current = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? 'auto'
    try {
      localStorage.setItem(KEY, current)
    } catch {
      // Storage is forbidden or full.
    }
    show()
    label()
  })
  label()
}

const show = (): void => {
  if (current === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = current
}
