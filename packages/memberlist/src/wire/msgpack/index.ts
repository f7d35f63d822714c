export { Reader } from './reader.js'
export { StructReader, type Draft, type ReadField } from './struct.js'
export { decodeText, encodeText } from './text.js'
export { Writer } from './writer.js'
