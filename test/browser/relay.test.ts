import { RelayTransport } from "1tp";
import { Lab } from "./kit/lab.ts";
import { Meeting } from "./kit/meeting.ts";
import { testPageTransport } from "./kit/test-page-transport.ts";

const lab = Lab.forThisFile();
const meeting = Meeting.forThisFile();

testPageTransport(lab, {
  word: "relay",
  create: () => new RelayTransport({ signaling: meeting.signaling }),
  pageOptions: () => meeting.pageOptions,
});
