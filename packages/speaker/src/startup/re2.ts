/** Regular expressions as MetalLB's file has them, RE2's, into JavaScript's: the same texts match, or it is refused. */

/** What is set by `(?i)` and its like, within the group that it stands in. */
interface Mode {
  /** Letters match in either case. */
  readonly i: boolean
  /** `^` and `$` match at every line. */
  readonly m: boolean
  /** `.` matches a newline. */
  readonly s: boolean
}

const PLAIN: Mode = { i: false, m: false, s: false }

/** `[[:name:]]`, and what stands for it inside brackets. */
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z', alpha: 'A-Za-z', ascii: '\\x00-\\x7f', blank: '\\t ', cntrl: '\\x00-\\x1f\\x7f', digit: '0-9',
  graph: '!-~', lower: 'a-z', print: ' -~', punct: '!-\\/:-@\\[-`{-~', space: '\\t\\n\\v\\f\\r ', upper: 'A-Z',
  word: '\\w', xdigit: '0-9A-Fa-f',
} // prettier-ignore

/** Escapes of RE2 that are something else, or nothing, in JavaScript. */
const ESCAPES: Readonly<Record<string, string>> = { A: '^', z: '$', C: '[^]', a: '\\x07' }
/** RE2's `\s` is these, JavaScript's many more. */
const SPACE = '\\t\\n\\f\\r '

/**
 * A regular expression of JavaScript that finds something in a text where RE2 does; case is folded for ASCII only.
 *
 * @throws {RangeError} it is none of RE2's, or has something that cannot be said here; the message begins with what
 */
export function fromRE2(pattern: string): string {
  const source = new Translation(pattern).translate()
  try {
    return new RegExp(source).source
  } catch {
    throw new RangeError('it is no regular expression')
  }
}

/** One pass over a pattern. */
class Translation {
  readonly #text: string
  readonly #outer: Mode[] = []
  #at = 0
  #mode = PLAIN

  constructor(text: string) {
    this.#text = text
  }

  translate(): string {
    let out = ''
    while (this.#at < this.#text.length) out += this.#next()
    return out
  }

  #next(): string {
    const char = this.#take()
    switch (char) {
      case '\\':
        return this.#escape(false)
      case '[':
        return this.#brackets()
      case '(':
        return this.#open()
      case ')':
        this.#mode = this.#outer.pop() ?? this.#mode
        return ')'
      case '.':
        return this.#mode.s ? '[^]' : '.'
      case '^':
        return this.#mode.m ? '(?<![^\\n])' : '^'
      case '$':
        return this.#mode.m ? '(?![^\\n])' : '$'
      default:
        return this.#literal(char)
    }
  }

  /** The parenthesis has been taken. */
  #open(): string {
    if (!this.#skip('?')) {
      this.#outer.push(this.#mode)
      return '('
    }
    const rest = this.#text.slice(this.#at)
    const name = /^P?<([A-Za-z_]\w*)>/.exec(rest)
    if (name) {
      this.#at += name[0].length
      this.#outer.push(this.#mode)
      return '('
    }
    const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest)
    if (!flags) throw new RangeError(`"(?${rest.slice(0, 2)}" is nothing that RE2 knows`)
    const [all, on = '', off = '', end] = flags
    this.#at += all.length
    // Whether something is found does not depend on how greedily it is looked for, so U says nothing.
    const flag = (name: 'i' | 'm' | 's'): boolean => (this.#mode[name] || on.includes(name)) && !off.includes(name)
    const mode: Mode = { i: flag('i'), m: flag('m'), s: flag('s') }
    if (end === ':') this.#outer.push(this.#mode)
    this.#mode = mode
    return end === ':' ? '(?:' : '(?:)'
  }

  /** The backslash has been taken. @param inside brackets */
  #escape(inside: boolean): string {
    const char = this.#take()
    if (char === '') throw new RangeError('it ends with a backslash')
    if (char === 'Q' && !inside) return this.#quoted()
    if (/[pP]/.test(char))
      throw new RangeError(`"\\${char}" is not available: classes of Unicode are not; name the letters`)
    if (char === 's' || char === 'S') {
      if (!inside) return char === 's' ? `[${SPACE}]` : `[^${SPACE}]`
      if (char === 's') return SPACE
      throw new RangeError('"\\S" inside brackets is not available: take it out of them')
    }
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(this.#text.slice(this.#at - 1))
    if (octal) return this.#numbered(octal[0], 8, octal[0].length - 1, inside)
    const hex = /^x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(this.#text.slice(this.#at - 1))
    if (hex) return this.#numbered(hex[1] ?? hex[2] ?? '', 16, hex[0].length - 1, inside)
    if (/[dDwWfnrtv]/.test(char) || (/[bB]/.test(char) && !inside)) return `\\${char}`
    const other = inside ? undefined : ESCAPES[char]
    if (other !== undefined) return other
    if (char === 'a') return '\\x07'
    if (/[0-9A-Za-z]/.test(char)) throw new RangeError(`"\\${char}" is nothing that RE2 knows`)
    return inside ? `\\${char}` : escapeText(char)
  }

  /** Everything up to `\E` as it stands. */
  #quoted(): string {
    const end = this.#text.indexOf('\\E', this.#at)
    const quoted = this.#text.slice(this.#at, end < 0 ? undefined : end)
    this.#at = end < 0 ? this.#text.length : end + 2
    return Array.from(quoted, char => (/[A-Za-z]/.test(char) ? this.#literal(char) : escapeText(char))).join('')
  }

  /** @param skip characters after the first, which has been taken */
  #numbered(digits: string, radix: number, skip: number, inside: boolean): string {
    this.#at += skip
    const code = Number.parseInt(digits, radix)
    if (code > 0xffff) throw new RangeError(`"\\x{${digits}}" is not available: no name of an interface has it`)
    const char = String.fromCharCode(code)
    return !inside && /[A-Za-z]/.test(char) ? this.#literal(char) : hexOf(code)
  }

  /** The opening bracket has been taken. */
  #brackets(): string {
    let out = this.#skip('^') ? '[^' : '['
    for (let first = true; ; first = false) {
      const char = this.#take()
      if (char === '') throw new RangeError('a bracket "[" is not closed')
      if (char === ']' && !first) return `${out}]`
      out += char === '[' ? this.#posix() : this.#member(char)
    }
  }

  /** The second opening bracket has been taken. */
  #posix(): string {
    const match = /^:(\^?)([a-z]+):\]/.exec(this.#text.slice(this.#at))
    if (!match) return this.#member('[')
    const [all, not, name = ''] = match
    const members = POSIX[name]
    if (members === undefined || not) throw new RangeError(`"[${all}" is nothing that can be said here`)
    this.#at += all.length
    return this.#mode.i && (name === 'lower' || name === 'upper') ? 'A-Za-z' : members
  }

  /** One character of a class, or a range of them. */
  #member(char: string): string {
    const low = char === '\\' ? this.#escape(true) : escapeMember(char)
    if (!/^-[^\]]/.test(this.#text.slice(this.#at))) return this.#mode.i ? bothCases(low) : low
    this.#at++
    const last = this.#take()
    const high = last === '\\' ? this.#escape(true) : escapeMember(last)
    return `${low}-${high}${this.#mode.i ? otherCase(charOf(low), charOf(high)) : ''}`
  }

  #literal(char: string): string {
    return this.#mode.i && /[A-Za-z]/.test(char) ? `[${bothCases(char)}]` : char
  }

  #take(): string {
    const char = this.#text.charAt(this.#at)
    this.#at += char.length
    return char
  }

  #skip(char: string): boolean {
    const found = this.#text.startsWith(char, this.#at)
    if (found) this.#at += char.length
    return found
  }
}

const escapeText = (char: string): string => (/[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char)
const escapeMember = (char: string): string => (/[\\\]^[-]/.test(char) ? `\\${char}` : char)
const hexOf = (code: number): string => `\\u${code.toString(16).padStart(4, '0')}`

/** The character that a member of a class stands for, which may be written as a number. */
function charOf(member: string): string {
  const code = /^\\u([0-9a-f]{4})$/.exec(member)?.[1]
  return code === undefined ? member.slice(-1) : String.fromCharCode(Number.parseInt(code, 16))
}

function bothCases(member: string): string {
  const char = member.startsWith('\\') && !member.startsWith('\\u') ? '' : charOf(member)
  return /^[A-Za-z]$/.test(char) ? `${char.toLowerCase()}${char.toUpperCase()}` : member
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The letters of a range in the other case, one by one. */
function otherCase(low: string, high: string): string {
  const within = Array.from(LETTERS).filter(letter => letter >= low && letter <= high)
  return within.map(letter => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase())).join('')
}
