// A page of flags, read from what a program says to --help.

/** @param {string} name of the program; @param {string} help its text */
export function flagsPage(name, help) {
  const [head, options = ''] = help.split(/^Options:\n/m)
  const description = head
    .replace(/^Usage:.*\n/, '')
    .replaceAll('\n', ' ')
    .trim()
  return `# ${name}

${description}

One dash or two; \`--flag value\` or \`--flag=value\`. An unknown flag ends with exit code 2, what cannot start with 1 and one line.

| flag | meaning |
|---|---|
${rows(options)
  .map(({ flag, meaning }) => `| \`${flag}\` | ${meaning.replaceAll('|', '\\|')} |`)
  .join('\n')}
`
}

/** Options with their descriptions, of which the help wraps the lines. */
function rows(text) {
  const found = []
  for (const line of text.split('\n')) {
    const [, flag, meaning] = /^ {2}(-\S.*?)(?: {2,}(\S.*))?$/.exec(line) ?? []
    if (flag) found.push({ flag: flag.trim(), meaning: meaning ?? '' })
    else if (line.startsWith('    ') && found.length > 0)
      found.at(-1).meaning = `${found.at(-1).meaning} ${line.trim()}`.trim()
  }
  return found.map(({ flag, meaning }) => ({ flag, meaning: meaning.replace(/ ?\(default: (?:""|\[\]|false)\)/, '') }))
}
