// The kernel itself, which has the addresses.
import os from 'node:os'
import { RANGES } from '../far-end.mjs'
import { following } from '../following.mjs'

/** @type {import('../scene.mjs').Kind} */
export const kernel = {
  id: 'kernel',
  name: 'Linux',
  version: async () => os.release(),
  async start({ host, protocol, count, range }) {
    const [length, flags] = protocol === 'arp' ? [32, ''] : [128, ' nodad']
    const addresses = following(RANGES[protocol][range], count)
    await host.namespace.ip(addresses.map(address => `address add ${address}/${length} dev eth0${flags}`))
    return {}
  },
}
