import { column } from './definition.js'

/** What both kinds of advertisement show of the pools that they select. */
export const POOL_COLUMNS = [
  column('IPAddressPools', 'string', '.spec.ipAddressPools'),
  column('IPAddressPool Selectors', 'string', '.spec.ipAddressPoolSelectors'),
] as const

/** Long, and of interest to few. */
export const NODE_COLUMN = column('Node Selectors', 'string', '.spec.nodeSelectors', 10)
