// Objects put straight into etcd, as an API server would have stored them: asked for one by one, ten thousand Services with an address
// each take it minutes, and nothing is measured of that.
import { randomUUID } from 'node:crypto'

/** etcd takes 128 in one transaction. */
const BATCH = 100

const base64 = text => Buffer.from(text, 'latin1').toString('base64')

async function call(url, method, body) {
  const response = await fetch(`${url}/v3/kv/${method}`, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`etcd: ${method}: ${await response.text()}`)
  return response.json()
}

/** What is stored under a key; octets as characters. */
async function read(url, key) {
  const { kvs = [] } = await call(url, 'range', { key: base64(key) })
  if (kvs.length === 0) throw new Error(`etcd has no ${key}`)
  return Buffer.from(kvs[0].value, 'base64').toString('latin1')
}

/**
 * Makes copies of objects that are there. As what is stored says the length of each text before it, a text can only be replaced by one
 * that is as long.
 *
 * @param url of etcd
 * @param templates `{ key, uid }` of each object of one copy
 * @param texts how a copy differs, by its number: pairs of the template's text and the copy's; they apply to keys too
 */
export async function copy(url, templates, numbers, texts) {
  const originals = await Promise.all(templates.map(async each => ({ ...each, value: await read(url, each.key) })))
  for (let first = 0; first < numbers.length; first += BATCH) {
    const puts = numbers.slice(first, first + BATCH).flatMap(number => {
      const pairs = texts(number)
      return originals.map(({ key, uid, value }) => {
        const fill = text => pairs.reduce((sum, [from, to]) => replace(sum, from, to), text)
        return { requestPut: { key: base64(fill(key)), value: base64(replace(fill(value), uid, randomUUID())) } }
      })
    })
    for (let at = 0; at < puts.length; at += BATCH) await call(url, 'txn', { success: puts.slice(at, at + BATCH) })
  }
}

function replace(text, from, to) {
  if (from.length !== to.length) throw new RangeError(`${to} is not as long as ${from}`)
  return text.replaceAll(from, to)
}

/** Addresses whose texts are all equally long: 100 × 100 in each of the networks 10.100 to 10.199, from this one on. */
export function evenAddress(network, number) {
  const [second, rest] = [network + Math.floor(number / 10_000), number % 10_000]
  if (second > 199) throw new RangeError(`no address for ${number}`)
  return `10.${second}.${100 + Math.floor(rest / 100)}.${100 + (rest % 100)}`
}
