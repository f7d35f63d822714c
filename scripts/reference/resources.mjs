// One page for a kind: every field of every version, with type, default and rules.

/** @param definition a ResourceDefinition of @typemetal/cluster */
export function resourcePage({ kind, plural, versions }) {
  const parts = versions.map((version, i) => versionPart(kind, version, i === 0))
  return `# ${kind}

${versions[0].description} \`kubectl -n metallb-system get ${plural}\` lists them.

${parts.join('\n')}`
}

function versionPart(kind, { name, spec, status, description, deprecationWarning, columns }, stored) {
  const title = `## metallb.io/${name}${stored ? '' : ' (deprecated)'}`
  const warning = deprecationWarning ? `Deprecated: ${deprecationWarning}. ${description}\n\n` : ''
  const shown =
    columns.length > 0 ? `Columns of \`kubectl get\`: ${columns.map(column => column.name).join(', ')}.\n` : ''
  return `${title}

${warning}${table('spec', spec)}${table('status', status)}${shown}`
}

function table(name, schema) {
  const rows = schema ? fieldRows(schema, name) : []
  if (rows.length === 0) return ''
  return `### ${name}

| field | type | default | meaning |
|---|---|---|---|
${rows.join('\n')}

`
}

/** Rows of all fields below a schema; selectors are explained once, on a page of Kubernetes. */
function fieldRows(schema, path) {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const here = `${path}.${name}`
    const required = schema.required?.includes(name) ? ' Required.' : ''
    const fallback = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``
    const row = `| \`${here}\` | ${typeOf(field)} | ${fallback} | ${escape((field.description ?? '') + rules(field) + required)} |`
    if (isSelector(field)) return [row]
    if (field.type === 'array')
      return [row, ...(isSelector(field.items) ? [] : fieldRows(field.items ?? {}, `${here}[]`))]
    return [row, ...fieldRows(field, here)]
  })
}

const isSelector = schema => schema?.properties?.matchExpressions !== undefined

function typeOf(schema) {
  if (isSelector(schema)) return 'LabelSelector'
  if (schema.type === 'array')
    return `list of ${isSelector(schema.items) ? 'LabelSelectors' : plural(typeOf(schema.items))}`
  if (schema.additionalProperties) return 'map of texts'
  return { string: 'text', object: 'mapping' }[schema.type] ?? schema.type
}

const plural = type => (type === 'mapping' ? 'mappings' : `${type}s`)

function rules({
  minimum,
  maximum,
  enum: values,
  pattern,
  minLength,
  maxLength,
  minItems,
  'x-kubernetes-validations': cel,
}) {
  const parts = [
    ...(values ? [` One of ${values.map(value => `\`${value}\``).join(', ')}.`] : []),
    ...(minimum !== undefined && maximum !== undefined ? [` ${minimum} to ${maximum}.`] : []),
    ...(minimum !== undefined && maximum === undefined ? [` At least ${minimum}.`] : []),
    ...(pattern ? [` Pattern \`${pattern}\`.`] : []),
    ...(minLength !== undefined || maxLength !== undefined
      ? [` ${minLength ?? 0} to ${maxLength ?? 'any number of'} characters.`]
      : []),
    ...(minItems ? [` At least ${minItems}.`] : []),
    ...(cel ?? []).map(({ message }) => ` (${message})`),
  ]
  return parts.join('')
}

const escape = text => text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim()
