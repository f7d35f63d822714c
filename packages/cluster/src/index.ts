export type * from './resources/core.js'
export type * from './resources/metallb.js'
export type * from './config/config.js'
export * from './store/store.js'
