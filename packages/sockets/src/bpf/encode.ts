import { LITTLE_ENDIAN, viewOf } from '../wire/endian.js'
import type { BpfInstruction } from './assembler.js'

const INSTRUCTION_LENGTH = 8

/** The program as the kernel takes it: an array of `struct sock_filter` in this machine's order. */
export function encodeProgram(program: readonly BpfInstruction[]): Uint8Array {
  const result = new Uint8Array(program.length * INSTRUCTION_LENGTH)
  const view = viewOf(result)
  program.forEach(({ code, jt, jf, k }, index) => {
    const at = index * INSTRUCTION_LENGTH
    view.setUint16(at, code, LITTLE_ENDIAN)
    view.setUint8(at + 2, jt)
    view.setUint8(at + 3, jf)
    view.setUint32(at + 4, k, LITTLE_ENDIAN)
  })
  return result
}
