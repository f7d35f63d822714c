import type { BpfInstruction } from '@typemetal/sockets/bpf'

const ANCILLARY_BASE = 0xfffff000

/** What the kernel would know about the frame, by ancillary offset: packet type, VLAN tag present, ... */
export type Ancillary = Readonly<Record<number, number>>

/** Runs a classic BPF program as the kernel does: octets of the frame to take, 0 to drop it. */
export function run(program: readonly BpfInstruction[], frame: Uint8Array, ancillary: Ancillary = {}): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  let a = 0
  for (let at = 0; at < program.length; at++) {
    const { code, jt, jf, k } = program[at]!
    const jump = (holds: boolean): number => (holds ? jt : jf)
    if (code === 0x06) return k
    else if (code === 0x54) a = (a & k) >>> 0
    else if (code === 0x05) at += k
    else if (code === 0x15) at += jump(a === k)
    else if (code === 0x25) at += jump(a > k)
    else if (code === 0x35) at += jump(a >= k)
    else if (code === 0x45) at += jump((a & k) !== 0)
    else if (k >= ANCILLARY_BASE) a = ancillary[k - ANCILLARY_BASE] ?? 0
    else {
      const size = code === 0x20 ? 4 : code === 0x28 ? 2 : 1
      if (k + size > frame.length) return 0
      a = size === 4 ? view.getUint32(k) : size === 2 ? view.getUint16(k) : view.getUint8(k)
    }
  }
  throw new Error('ran off the end')
}
