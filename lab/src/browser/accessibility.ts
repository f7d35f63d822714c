/** What axe says about a page: rules of WCAG 2.2, levels A and AA, and good practice. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'puppeteer-core'

/** The part of axe's results that is of interest here. */
interface Results {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[]
  }[]
}

/** Looks at a page with axe. @returns one line for each element that breaks a rule */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  const source = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
  await page.evaluate(source)
  const { violations } = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as Results
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary = '' }) => `${id}: ${target.join(' ')}: ${failureSummary.replaceAll('\n', ' ')}`,
    ),
  )
}
