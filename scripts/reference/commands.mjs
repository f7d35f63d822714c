// The page of the command `typemetal`: every command with usage, options and examples.

/** @param program the commander program */
export function commandPage(program) {
  return `# typemetal

${program.description()} As a kubectl plugin it is \`kubectl typemetal\`.

${trailer(program)}
${leaves(program).map(part).join('\n')}`
}

/** Commands that do something, in the order of the help; what begins with underlines is typed by programs. */
const leaves = command =>
  command.commands.length === 0
    ? [command]
    : command.commands.filter(each => !each.name().startsWith('__')).flatMap(leaves)

function part(command) {
  const usage = `${path(command)} ${command.usage()}`
  const options = command.createHelp().visibleOptions(command)
  return `## ${path(command)}

${command.description().replaceAll('\n', ' ')}

\`\`\`text
${usage}
\`\`\`

${argumentRows(command)}| option | default | meaning |
|---|---|---|
${options.map(optionRow).join('\n')}

${examples(command)}`
}

const path = command => (command.parent ? `${path(command.parent)} ${command.name()}` : command.name())

function argumentRows(command) {
  const rows = command.registeredArguments.map(
    each => `- \`${each.name()}\`: ${each.description}${each.argChoices ? ` (${each.argChoices.join(', ')})` : ''}`,
  )
  return rows.length > 0 ? `${rows.join('\n')}\n\n` : ''
}

function optionRow(option) {
  const choices = option.argChoices ? ` (${option.argChoices.join(', ')})` : ''
  const fallback = option.defaultValueDescription ?? option.defaultValue
  const empty =
    fallback === undefined ||
    fallback === false ||
    fallback === '' ||
    (Array.isArray(fallback) && fallback.length === 0)
  const shown = empty || option.negate ? '' : `\`${fallback}\``
  return `| \`${option.flags.replaceAll('|', '\\|')}\` | ${shown} | ${option.description.replaceAll('|', '\\|')}${choices} |`
}

/** What a command says after its help. */
function trailer(command) {
  let text = ''
  command.configureOutput({ ...command.configureOutput(), writeOut: more => void (text += more) })
  command.outputHelp()
  const start = text.search(/\n(?:Examples|Exit codes):/)
  return start < 0 ? '' : `\`\`\`text\n${text.slice(start).trim()}\n\`\`\`\n`
}

const examples = command => trailer(command)
