/** A place in a line. */
interface Place<T> {
  readonly thing: T;
  before: Place<T> | null;
  after: Place<T> | null;
}

/** Things that wait, first in, first out. To come, to go and to leave early take no longer where many wait. */
export class Line<T> {
  #first: Place<T> | null = null;
  #last: Place<T> | null = null;

  get first(): T | undefined {
    return this.#first?.thing;
  }

  /** Puts a thing at the end; gives what takes it out of the line, to be called once. */
  push(thing: T): () => void {
    return this.#put({ thing, before: this.#last, after: null });
  }

  /** The same at the beginning. */
  unshift(thing: T): () => void {
    return this.#put({ thing, before: null, after: this.#first });
  }

  /** All of them in their order. Each may leave as it is given. */
  *[Symbol.iterator](): Iterator<T> {
    for (let place = this.#first, after = place; place !== null; place = after) {
      after = place.after;
      yield place.thing;
    }
  }

  #put(place: Place<T>): () => void {
    if (place.before === null) this.#first = place;
    else place.before.after = place;
    if (place.after === null) this.#last = place;
    else place.after.before = place;
    return () => {
      if (place.before === null) this.#first = place.after;
      else place.before.after = place.after;
      if (place.after === null) this.#last = place.before;
      else place.after.before = place.before;
    };
  }
}
