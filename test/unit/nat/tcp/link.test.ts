import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seededRandom } from "../../../../src/base/random.ts";
import { CheckCodec, makeIdentity } from "../../../../src/nat/check.ts";
import { Link } from "../../../../src/nat/tcp/link.ts";
import { nodeCrypto as crypto } from "../../../../src/platform/node-crypto.ts";

const random = seededRandom(1);
const REMOTE = { address: "5.0.0.1", port: 4000 };
let links = 0;

interface End {
  readonly codec: CheckCodec;
  readonly link: Link;
}

/** Two sides of a punch that know each other. */
function codecs(): readonly [CheckCodec, CheckCodec] {
  const [a, b] = [makeIdentity(random), makeIdentity(random)];
  const [one, other] = [new CheckCodec(crypto, a), new CheckCodec(crypto, b)];
  one.meet(b);
  other.meet(a);
  return [one, other];
}

/** A connection of theirs. */
function connection([one, other]: readonly [CheckCodec, CheckCodec]): readonly [End, End] {
  const link = () => new Link(links++, REMOTE, "reflexive", random, 0);
  return [
    { codec: one, link: link() },
    { codec: other, link: link() },
  ];
}

function receive({ link, codec }: End, frame: Uint8Array | string | undefined) {
  assert.ok(frame instanceof Uint8Array, `${frame} is no frame`);
  return link.receive(frame, codec);
}

/** Both ask and answer. */
function check(one: End, other: End): void {
  for (const [asking, asked] of [
    [one, other],
    [other, one],
  ] as const) {
    assert.equal(receive(asking, receive(asked, asking.link.ask(asking.codec))), undefined);
  }
}

test("a link is proven when both have asked and been answered, and the opener's word is understood then", () => {
  const [opener, acceptor] = connection(codecs());
  const request = opener.link.ask(opener.codec);
  assert.deepEqual([opener.link.ask(opener.codec), acceptor.link.heard], [undefined, false]);
  const answer = receive(acceptor, request);
  assert.deepEqual([acceptor.link.heard, acceptor.link.proven], [true, false]);
  assert.equal(receive(opener, answer), undefined);
  assert.equal(opener.link.proven, false);
  assert.equal(receive(acceptor, receive(opener, acceptor.link.ask(acceptor.codec))), undefined);
  assert.deepEqual([opener.link.proven, acceptor.link.proven], [true, true]);
  assert.equal(receive(acceptor, opener.link.nominate(opener.codec)), "nominated");
});

test("nobody asks before the other side is known, but whoever asks is answered", () => {
  const [a, b] = [makeIdentity(random), makeIdentity(random)];
  const [early, late] = connection([new CheckCodec(crypto, a), new CheckCodec(crypto, b)]);
  late.codec.meet(a);
  assert.equal(early.link.ask(early.codec), undefined);
  assert.equal(receive(late, receive(early, late.link.ask(late.codec))), undefined);
  early.codec.meet(b);
  receive(early, receive(late, early.link.ask(early.codec)));
  assert.ok(early.link.proven && late.link.proven);
});

describe("a link is strange when", () => {
  const strange = (end: End, frame: Uint8Array | string | undefined, fault: string): void => {
    assert.equal(receive(end, frame), fault);
    assert.equal(end.link.strange, true);
    assert.equal(end.link.proven, false);
  };

  test("it echoes", () => {
    const [{ link, codec }] = connection(codecs());
    strange({ link, codec }, link.ask(codec), "stranger");
  });

  test("what comes is no STUN", () => {
    const [one] = connection(codecs());
    strange(one, new TextEncoder().encode("SSH-2.0-OpenSSH_9.9\r\n"), "message");
  });

  test("somebody asks who does not know the password", () => {
    const [one, other] = codecs();
    const [end] = connection([one, other]);
    const forger = new CheckCodec(crypto, other.local);
    forger.meet({ ...one.local, password: makeIdentity(random).password });
    strange(end, new Link(0, REMOTE, "host", random, 0).ask(forger), "forged");
  });

  test("an answer was made for another link, or by somebody else", () => {
    const both = codecs();
    const [one, other] = connection(both);
    const [elsewhere] = connection(both);
    const [stranger] = connection(codecs());
    one.link.ask(one.codec);
    strange(one, receive(other, elsewhere.link.ask(elsewhere.codec)), "unasked");
    const [again, peer] = connection(both);
    const answer = receive(peer, again.link.ask(again.codec)) as Uint8Array;
    const forged = answer.slice();
    forged[30]! ^= 1;
    assert.notEqual(receive({ link: again.link, codec: stranger.codec }, forged), undefined);
  });

  test("the opener's word comes before the checks, twice, or from another link", () => {
    const both = codecs();
    const [opener, acceptor] = connection(both);
    strange(acceptor, opener.link.nominate(opener.codec), "disorder");
    const [one, other] = connection(both);
    const [second, third] = connection(both);
    check(one, other);
    check(second, third);
    assert.equal(receive(third, one.link.nominate(one.codec)), "disorder");
  });

  test("the peer asks twice", () => {
    const [one, other] = connection(codecs());
    const request = other.link.ask(other.codec);
    receive(one, request);
    strange(one, request, "disorder");
  });
});
