import { WebSocketTransport } from "1tp";
import { Lab } from "./kit/lab.ts";
import { testPageTransport } from "./kit/test-page-transport.ts";

testPageTransport(Lab.forThisFile(), { word: "websocket", create: () => new WebSocketTransport() });
