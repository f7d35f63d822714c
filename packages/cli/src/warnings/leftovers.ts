/** What was configuration once. */
import { warn } from './warning.js'
import type { Scene, Warning } from './warnings.js'

/** A key of MetalLB's configuration of before 0.13, at the beginning of a line. */
const OLD_KEY = /^(?:address-pools|peers)\s*:/m

/** ConfigMaps that nobody reads any more: a folder that has nothing else looks valid, and announces nothing. */
export function leftoverWarnings(scene: Scene): readonly Warning[] {
  return [...scene.snapshot.objects('ConfigMap').values()]
    .filter(({ data }) => OLD_KEY.test(data?.['config'] ?? ''))
    .map(object =>
      warn(
        scene,
        object,
        'data.config',
        'is configuration of MetalLB before 0.13, which nobody reads: typemetal migrate convert makes resources of it',
      ),
    )
}
