import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import {
  canonicalIp,
  formatIp,
  type IpScope,
  inSubnet,
  ipFamily,
  ipScope,
  parseIp,
  sameIp,
  scopeOf,
} from "../../../src/base/ip.ts";
import { type SeededRandom, seededRandom } from "../../../src/base/random.ts";
import { forEachSeed } from "../../kit/seeds.ts";

test("RFC 5952 §1 to §4: every spelling has one canonical text", () => {
  const spellings: Record<string, readonly string[]> = {
    "2001:db8::1": [
      "2001:db8:0:0:0:0:0:1",
      "2001:0db8:0:0:0:0:0:1",
      "2001:db8::1",
      "2001:db8::0:1",
      "2001:0db8::1",
      "2001:db8:0:0:0:0::1",
      "2001:DB8:0:0::1",
      "2001:Db8:0::1",
    ],
    "2001:db8::aaaa:0:0:1": ["2001:db8:0:0:aaaa::1", "2001:db8::aaaa:0:0:1", "2001:db8:0:0:AAAA:0:0:1"],
    "2001:db8::1:0:0:1": ["2001:db8:0:0:1:0:0:1", "2001:db8:0:0:1::1", "2001:db8::1:0:0:1"],
    "2001:db8:0:1:1:1:1:1": ["2001:db8:0:1:1:1:1:1", "2001:db8::1:1:1:1:1"],
    "2001:0:0:1::1": ["2001:0:0:1:0:0:0:1"],
    "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa": ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA"],
    "::": ["0:0:0:0:0:0:0:0", "::", "0::0"],
    "1::": ["1:0:0:0:0:0:0:0", "1::", "1:0::"],
    "::1": ["0:0:0:0:0:0:0:1", "0::1"],
    "1:2:3:4:5:6:7:0": ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    "0:2:3:4:5:6:7:8": ["::2:3:4:5:6:7:8"],
    "::102:304": ["::1.2.3.4"],
    "64:ff9b::c000:201": ["64:ff9b::192.0.2.1"],
  };
  for (const [canonical, texts] of Object.entries(spellings)) {
    for (const text of texts) assert.equal(canonicalIp(text), canonical, text);
  }
});

test("IPv4-mapped IPv6 is IPv4 in every spelling", () => {
  for (const text of ["::ffff:192.0.2.1", "::FFFF:c000:0201", "0:0:0:0:0:ffff:192.0.2.1"]) {
    assert.equal(canonicalIp(text), "192.0.2.1", text);
    assert.equal(ipFamily(text), 4);
  }
  assert.equal(canonicalIp("::fffe:192.0.2.1"), "::fffe:c000:201");
  assert.equal(canonicalIp("1::ffff:192.0.2.1"), "1::ffff:c000:201");
  assert.equal(parseIp("::ffff:192.0.2.1%eth0"), undefined, "IPv4 has no zones");
});

test("IPv4 is four decimal octets without leading zeros and nothing else", () => {
  for (const text of ["0.0.0.0", "255.255.255.255", "1.20.100.9"]) assert.equal(canonicalIp(text), text);
  const wrong = [
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.999",
    "01.2.3.4",
    "1.2.3.00",
    "1.2.3.0x4",
    "1.2.3.-4",
    "1.2.3.+4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4\n",
    "1..3.4",
    ".1.2.3",
    "1.2.3.",
    "1.2.3.4e0",
    "16909060",
    "0x01020304",
    "1.2.3.4%eth0",
    "1.2.3.٤",
    "１.2.3.4",
  ];
  for (const text of wrong) assert.equal(parseIp(text), undefined, JSON.stringify(text));
});

test("malformed IPv6 is refused", () => {
  const wrong = [
    "",
    ":",
    ":::",
    "::1::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::",
    "1.2.3.4::1",
    "1:1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "::01.2.3.4",
    "[::1]",
    "::1/64",
    " ::1",
    "::1 ",
    "::-1",
    "::0x1",
    "localhost",
    "::1%",
    "%eth0",
  ];
  for (const text of wrong) assert.equal(parseIp(text), undefined, JSON.stringify(text));
});

test("a zone is kept as it is written and must be a plain word", () => {
  assert.equal(canonicalIp("FE80:0::1%eth0"), "fe80::1%eth0");
  assert.equal(parseIp("fe80::1%Eth0.1-x_y")?.zone, "Eth0.1-x_y");
  assert.equal(parseIp("fe80::1%12")?.zone, "12");
  for (const zone of ["a%b", "a b", "a/b", "a\0", "é", "a".repeat(17), "$(x)", ""]) {
    assert.equal(parseIp(`fe80::1%${zone}`), undefined, JSON.stringify(zone));
  }
});

test("hostile strings are refused quickly, whatever their length", () => {
  const hostile = [
    "1".repeat(1e6),
    "1.".repeat(1e6),
    ":".repeat(1e6),
    "1:".repeat(1e6),
    `${"0".repeat(1e6)}1.2.3.4`,
    `fe80::1%${"a".repeat(1e6)}`,
    "::".repeat(1e6),
    "__proto__",
    "constructor:",
    "\ud800::",
  ];
  for (const text of hostile) {
    assert.equal(parseIp(text), undefined);
    assert.equal(ipFamily(text), 0);
    assert.equal(ipScope(text), "reserved");
  }
});

/** A literal with up to three random edits. */
function damaged(random: SeededRandom): string {
  const starts = [
    "1.2.3.4",
    "::",
    "fe80::1",
    "2001:db8:0:1:1:1:1:1",
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
  ];
  const alphabet = "0123456789abcdefF:.::..g ";
  let text = starts[random.integer(starts.length)]!;
  for (let edits = random.integer(4); edits > 0; edits--) {
    const at = random.integer(text.length + 1);
    const insert = random.chance(0.6) ? alphabet[random.integer(alphabet.length)] : "";
    text = text.slice(0, at) + insert + text.slice(at + random.integer(3));
  }
  return text;
}

test("what is accepted is what Node accepts, for literals damaged at random", () =>
  forEachSeed(20, (seed) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 2000; i++) {
      const text = damaged(random);
      const kind = text.includes(":") ? 6 : 4;
      assert.equal(parseIp(text) ? kind : 0, isIP(text), JSON.stringify(text));
    }
  }));

/** Random bytes of an address, with runs of zero groups, which the canonical form is about. */
function randomAddress(random: SeededRandom): Uint8Array {
  if (random.chance(0.2)) return random.fill(new Uint8Array(4));
  const bytes = random.fill(new Uint8Array(16));
  for (let at = 0; at < 16; at += 2) if (random.chance(0.5)) bytes.fill(0, at, at + 2);
  return bytes;
}

test("printing and parsing are inverse for random bytes, and URLs print the same", () =>
  forEachSeed(20, (seed) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 500; i++) {
      const bytes = randomAddress(random);
      const text = formatIp({ bytes });
      assert.deepEqual(parseIp(text)?.bytes, bytes, text);
      assert.equal(canonicalIp(text), text);
      const { hostname } = new URL(bytes.length === 4 ? `http://${text}` : `http://[${text}]`);
      assert.equal(hostname.replace(/[[\]]/g, ""), text);
    }
  }));

test("families are told apart and what is no literal is 0", () => {
  assert.deepEqual(["1.2.3.4", "::1", "fe80::1%a", "example.org", ""].map(ipFamily), [4, 6, 6, 0, 0]);
});

test("sameIp sees through spelling, and zones count", () => {
  assert.equal(sameIp("::1", "0:0::0001"), true);
  assert.equal(sameIp("::ffff:1.2.3.4", "1.2.3.4"), true);
  assert.equal(sameIp("1.2.3.4", "1.2.3.5"), false);
  assert.equal(sameIp("fe80::1%a", "fe80::1%b"), false);
  assert.equal(sameIp("fe80::1%a", "FE80::1%a"), true);
  assert.equal(sameIp("not one", "not one"), true);
  assert.equal(sameIp("not one", "other"), false);
});

test("inSubnet compares exactly the bits of the prefix", () => {
  const inside = (ip: string, prefix: string, bits: number) => inSubnet(parseIp(ip)!, parseIp(prefix)!, bits);
  assert.equal(inside("10.1.2.3", "10.1.2.0", 24), true);
  assert.equal(inside("10.1.3.3", "10.1.2.0", 24), false);
  assert.equal(inside("10.1.3.3", "10.1.2.0", 23), true);
  assert.equal(inside("172.31.255.255", "172.16.0.0", 12), true);
  assert.equal(inside("172.32.0.0", "172.16.0.0", 12), false);
  assert.equal(inside("1.2.3.4", "1.2.3.4", 32), true);
  assert.equal(inside("1.2.3.5", "1.2.3.4", 32), false);
  assert.equal(inside("9.9.9.9", "1.2.3.4", 0), true);
  assert.equal(inside("fe80::1", "febf::", 10), true);
  assert.equal(inside("fec0::1", "fe80::", 10), false);
  assert.equal(inside("1.2.3.4", "::", 0), false, "families do not mix");
});

test("scopes follow the registries at their edges", () => {
  const scopes: Record<IpScope, readonly string[]> = {
    unspecified: ["0.0.0.0", "::", "::ffff:0.0.0.0"],
    loopback: ["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"],
    "link-local": ["169.254.0.0", "169.254.169.254", "fe80::1", "febf::1", "fe80::1%eth0"],
    private: [
      "10.0.0.0",
      "10.255.255.255",
      "172.16.0.0",
      "172.31.255.255",
      "192.168.0.1",
      "100.64.0.0",
      "100.127.255.255",
      "fc00::",
      "fdff::1",
      "fec0::1",
      "::ffff:10.0.0.1",
    ],
    public: [
      "1.1.1.1",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "192.0.1.0",
      "192.167.255.255",
      "192.169.0.0",
      "198.17.255.255",
      "198.20.0.0",
      "223.255.255.255",
      "2001:4860::8888",
      "2a00::1",
    ],
    multicast: ["224.0.0.0", "239.255.255.255", "ff02::1", "::ffff:224.0.0.1"],
    reserved: [
      "0.0.0.1",
      "192.0.0.1",
      "192.0.2.1",
      "198.18.0.0",
      "198.19.255.255",
      "198.51.100.1",
      "203.0.113.1",
      "240.0.0.0",
      "255.255.255.255",
      "::2",
      "::1.2.3.4",
      "::ffff:0:1.2.3.4",
      "64:ff9b:1::1",
      "100::1",
      "2001:2::1",
      "2001:db8::1",
      "3fff::1",
      "5f00::1",
      "example.org",
    ],
  };
  for (const [scope, texts] of Object.entries(scopes)) {
    for (const text of texts) assert.equal(ipScope(text), scope, text);
  }
});

test("an IPv4 address inside NAT64 and 6to4 decides the scope, so that neither leads home", () => {
  assert.equal(ipScope("64:ff9b::8.8.8.8"), "public");
  assert.equal(ipScope("64:ff9b::127.0.0.1"), "loopback");
  assert.equal(ipScope("64:ff9b::10.0.0.1"), "private");
  assert.equal(ipScope("64:ff9b::169.254.169.254"), "link-local");
  assert.equal(ipScope("2002:0808:0808::1"), "public");
  assert.equal(ipScope("2002:7f00:0001::1"), "loopback");
  assert.equal(ipScope("2002:c0a8:0101::"), "private");
  assert.equal(scopeOf({ bytes: Uint8Array.of(127, 0, 0, 1) }), "loopback");
});
