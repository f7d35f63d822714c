/** A layer-2 responder that only remembers what it was asked. */
import { EventEmitter } from 'node:events'
import type { Interfaces, Responder } from '@typemetal/speaker'

export class FakeResponder extends EventEmitter implements Responder {
  wanted: readonly { readonly address: string; readonly interfaces: Interfaces }[] = []
  disposed = false
  names: readonly string[] = ['eth0']

  setAddresses(wanted: FakeResponder['wanted']): void {
    this.wanted = wanted
  }

  interfaces(): readonly string[] {
    return this.names
  }

  async counters() {
    return new Map([['10.1.0.1', { requestsReceived: 2, responsesSent: 1, gratuitousSent: 0 }]])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true
  }
}
