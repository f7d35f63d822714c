/** Rows that change in a large table: only their lines are drawn again, and who reads, types or sorts is not disturbed. */
import type { ServiceFacts } from '@typemetal/cluster/page'
import { exampleServices } from '@typemetal/lab/browser'
import t from 'tap'
import { browser, browsing, serve, View } from './page-support.js'

t.setTimeout(600_000)
const root = t

t.test('of 5,000 Services one changes: its line alone is drawn again', browsing, async t => {
  const { url, source } = await serve(t)
  // All well, in the order of their names, so that what a page shows is known.
  const services = exampleServices(5000).map((row, index): ServiceFacts => {
    const { reason: _, ...rest } = row
    return { ...rest, verdict: 'good', service: `default/s${String(index).padStart(4, '0')}` }
  })
  // A source makes all its rows anew.
  const tell = (rows: readonly ServiceFacts[]): void => source.change({ services: rows.map(row => ({ ...row })) })
  tell(services)
  await using view = await View.open(await browser(root), url)
  const where = (): Promise<string> => view.text('#services .where')
  await view.page.click('#services [aria-label="Next page"]')
  t.equal(await where(), '26–50 of 5,000')
  await view.ask('document.querySelectorAll("#services tbody tr")[20].scrollIntoView({ block: "center" })')
  await view.page.focus('#services .scroll')
  const place = await view.ask<number>('window.scrollY')
  t.ok(place > 0)
  await view.ask(`{
    window.drawn = new Set()
    new MutationObserver(records => {
      for (const { target } of records) window.drawn.add(target.closest('tr')?.querySelector('th')?.innerText ?? target.tagName)
    }).observe(document.querySelector('#services tbody'), { subtree: true, childList: true, characterData: true })
  }`)
  const drawn = (): Promise<readonly string[]> => view.ask('[...window.drawn].sort()')

  const moved = services.map((row, index) => (index === 30 ? { ...row, reason: 'moved just now' } : row))
  tell(moved)
  await view.sees('the change', async () => /moved just now/.test(await view.text('#services tbody tr:nth-child(6)')))
  t.same(await drawn(), ['default/s0030'])
  t.equal(await view.ask('window.scrollY'), place, 'where it was')
  t.equal(await view.ask('document.activeElement.className'), 'scroll', 'the focus as well')
  t.equal(await where(), '26–50 of 5,000', 'and the page')

  // One that goes and one that comes, before and on the page that is shown.
  const added: ServiceFacts = { ...services[0]!, service: 'default/s0026a' }
  tell([...moved.slice(0, 3), ...moved.slice(4, 27), added, ...moved.slice(27)])
  await view.sees('the new one', async () => (await view.names('services')).includes('default/s0026a'))
  t.same(await view.names('services'), [
    'default/s0026',
    'default/s0026a',
    ...Array.from({ length: 23 }, (_, index) => `default/s00${27 + index}`),
  ])
  t.equal(await where(), '26–50 of 5,000')
  t.match(await view.text('#services tbody tr:nth-child(6)'), /moved just now/)

  // Filtered and sorted the other way round: what changes then is in its place at once.
  await view.page.type('#services-filter', 's499')
  await view.ask('document.querySelectorAll("#services thead button")[1].click()')
  await view.ask('document.querySelectorAll("#services thead button")[1].click()')
  await view.page.focus('#services-filter')
  await view.sees('ten', async () => (await view.names('services')).length === 10)
  t.equal((await view.names('services'))[0], 'default/s4999')
  tell(moved.slice(0, 4998))
  await view.sees('two gone', async () => (await view.names('services'))[0] === 'default/s4997')
  t.equal((await view.names('services')).length, 8)
  t.equal(await view.focused(), 'services-filter')
  t.equal(await view.ask('document.querySelector("#services-filter").value'), 's499')
  t.equal(await view.text('nav a[href="#services"] b'), '4,998')
})
