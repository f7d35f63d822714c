import type { Rank } from './rank.js'

/** One entry of an {@link OrderedTree}. */
export interface TreeNode<V, S> {
  key: Rank
  value: V
  /** What the tree's `summarise` makes of this node's value and of both subtrees. */
  summary: S
  left: TreeNode<V, S> | undefined
  right: TreeNode<V, S> | undefined
  /** Heap order of the treap: no child has a higher one than its parent. */
  readonly priority: number
}

/** Combines a node's own value with the summaries of its subtrees (`undefined`: no subtree). */
export type Summarise<V, S> = (value: V, left: S | undefined, right: S | undefined) => S

/**
 * Values in ascending order of a rank: a treap (Seidel and Aragon 1996), so every operation takes O(log n) expected
 * steps. The same operations always give the same tree.
 */
export class OrderedTree<V, S = undefined> {
  readonly #summarise: Summarise<V, S>
  #root: TreeNode<V, S> | undefined
  #size = 0
  #seed = 0x9e3779b9

  constructor(summarise: Summarise<V, S>) {
    this.#summarise = summarise
  }

  /** The topmost node, for searches that follow the summaries. */
  get root(): TreeNode<V, S> | undefined {
    return this.#root
  }

  get size(): number {
    return this.#size
  }

  /** The node with the greatest key that is not above `key`. */
  floor(key: Rank): TreeNode<V, S> | undefined {
    let best: TreeNode<V, S> | undefined
    for (let node = this.#root; node;) {
      if (node.key > key) node = node.left
      else {
        best = node
        node = node.right
      }
    }
    return best
  }

  /** Adds an entry; `key` must not be in the tree yet. */
  insert(key: Rank, value: V): void {
    const summary = this.#summarise(value, undefined, undefined)
    this.#root = this.#insert(this.#root, {
      key,
      value,
      summary,
      left: undefined,
      right: undefined,
      priority: this.#random(),
    })
    this.#size++
  }

  /** Removes an entry, if it is there. */
  delete(key: Rank): void {
    this.#root = this.#delete(this.#root, key)
  }

  /** Computes the summaries again on the way to `key`, after its value was changed in place. */
  refresh(key: Rank): void {
    this.#refresh(this.#root, key)
  }

  #insert(node: TreeNode<V, S> | undefined, added: TreeNode<V, S>): TreeNode<V, S> {
    if (!node) return added
    if (added.key < node.key) node.left = this.#insert(node.left, added)
    else node.right = this.#insert(node.right, added)
    if (node.left && node.left.priority > node.priority) return this.#rotateRight(node, node.left)
    if (node.right && node.right.priority > node.priority) return this.#rotateLeft(node, node.right)
    return this.#pull(node)
  }

  #delete(node: TreeNode<V, S> | undefined, key: Rank): TreeNode<V, S> | undefined {
    if (!node) return undefined
    if (key === node.key) {
      this.#size--
      return this.#merge(node.left, node.right)
    }
    if (key < node.key) node.left = this.#delete(node.left, key)
    else node.right = this.#delete(node.right, key)
    return this.#pull(node)
  }

  #refresh(node: TreeNode<V, S> | undefined, key: Rank): void {
    if (!node) return
    if (key < node.key) this.#refresh(node.left, key)
    else if (key > node.key) this.#refresh(node.right, key)
    this.#pull(node)
  }

  /** Joins two trees, every key of `low` being below every key of `high`. */
  #merge(low: TreeNode<V, S> | undefined, high: TreeNode<V, S> | undefined): TreeNode<V, S> | undefined {
    if (!low || !high) return low ?? high
    if (low.priority > high.priority) {
      low.right = this.#merge(low.right, high)
      return this.#pull(low)
    }
    high.left = this.#merge(low, high.left)
    return this.#pull(high)
  }

  #rotateRight(node: TreeNode<V, S>, child: TreeNode<V, S>): TreeNode<V, S> {
    node.left = child.right
    child.right = this.#pull(node)
    return this.#pull(child)
  }

  #rotateLeft(node: TreeNode<V, S>, child: TreeNode<V, S>): TreeNode<V, S> {
    node.right = child.left
    child.left = this.#pull(node)
    return this.#pull(child)
  }

  #pull(node: TreeNode<V, S>): TreeNode<V, S> {
    node.summary = this.#summarise(node.value, node.left?.summary, node.right?.summary)
    return node
  }

  /** Marsaglia's xorshift32: balance needs no better randomness, and equal histories must give equal trees. */
  #random(): number {
    let x = this.#seed
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#seed = x
    return x
  }
}
