/** A connection of one registrar. */
export interface Place {
  /** The registrar's name in the directory: random, of this run of the process. */
  readonly registrar: string;
  /** The number of the connection there; never used twice. */
  readonly connection: number;
}

/**
 * What the registrars of a cluster share: who is where, and a way to each other. Calls take effect in the
 * order they are made. A registrar that died leaves claims behind, which do no harm: nothing can be
 * delivered to it.
 */
export interface Directory {
  /** The uid is at `place` from now on. Resolves with where it was. */
  claim(uid: string, place: Place): Promise<Place | undefined>;
  /** Forgets the uid, unless it has been claimed for another place. */
  release(uid: string, place: Place): Promise<void>;
  locate(uid: string): Promise<Place | undefined>;
  /** Hands a post to a registrar, in order and at most once. False: nobody has subscribed to that name. */
  deliver(registrar: string, post: string): Promise<boolean>;
  /** Receives the posts for a name, from the event loop only. Resolves with what ends it. */
  subscribe(registrar: string, onPost: (post: string) => void): Promise<() => Promise<void>>;
}
