/** What every Typemetal process needs around its work: logs, metrics, health, signals and clear last words. */
export { StartupError } from './startup-error.js'
