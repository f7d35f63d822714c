// `Seconds`, `Milliseconds`, `Octets` say the unit of a number. The compiler takes such a name for the number itself, and forgets it in
// parameters, results and fields that come by `Omit`, `Pick` or `Partial`; it still stands in the source.
import { ReflectionKind, TypeScript as ts } from 'typedoc'

const NAMED = ReflectionKind.Property | ReflectionKind.Accessor | ReflectionKind.FunctionOrMethod

/**
 * Gives fields, getters, parameters and results the names of the types that they were declared with.
 *
 * @param {import('typedoc').Context} context
 * @param {import('typedoc').TypeScript.Program} program
 */
export function nameUnits(context, program) {
  context.setActiveProgram(program)
  for (const reflection of context.project.getReflectionsByKind(NAMED)) {
    const declarations = context.getSymbolFromReflection(reflection)?.declarations ?? []
    if (reflection.kindOf(ReflectionKind.Property)) name(reflection, declarations.find(ts.isPropertySignature))
    else if (reflection.getSignature) name(reflection.getSignature, declarations.find(ts.isGetAccessor))
    // Of overloaded functions nobody can tell which declaration is which signature's.
    else if (reflection.signatures?.length === 1 && declarations.length === 1)
      nameSignature(reflection.signatures[0], declarations[0])
  }

  function nameSignature(signature, declaration) {
    const written = ts.isVariableDeclaration(declaration) ? declaration.initializer : declaration
    if (!written || !ts.isFunctionLike(written)) return
    name(signature, written)
    for (const [index, parameter] of (signature.parameters ?? []).entries()) name(parameter, written.parameters[index])
  }

  function name(holder, declaration) {
    const node = declaration?.type
    const isName = node && ts.isTypeReferenceNode(node) && node.typeArguments === undefined
    if (isName && ['intrinsic', 'union'].includes(holder.type?.type)) {
      holder.type = context.converter.convertType(context, node)
    }
  }
}
