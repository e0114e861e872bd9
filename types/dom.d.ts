// Types of core/dom.js: elements by their ids, selectors and tags.

/** An element by its id; of an id that is made up at run time, any; none where the page has no such id. */
type ById<I extends string> = I extends keyof PageIds ? PageIds[I] : {} extends Record<I, 1> ? HTMLElement : never;

type ByTag<T> = T extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[T] : HTMLElement;

/** What a selector selects, by the tag of its last part. */
type Selected<S> = S extends `${string} ${infer R}` ? Selected<R>
  : S extends `${infer T}:${string}` ? Selected<T>
  : S extends `${infer T}[${string}` ? Selected<T>
  : S extends `${infer T}.${string}` ? Selected<T>
  : ByTag<S>;

/** Attributes of an element that is made, and its listeners: "onclick". */
type Attributes<E> = {
  [K in keyof HTMLElementEventMap as `on${K}`]?: (event: HTMLElementEventMap[K] & { currentTarget: E }) => void;
} & { [name: string]: string | number | boolean | null | undefined | ((event: any) => void) };
