export { Reader } from './reader.js'
export { StructReader } from './struct.js'
export { decodeText, encodeText } from './text.js'
export { Writer } from './writer.js'
