/** The two ports as browsers have them. */
interface MessagePorts {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: undefined): void };
}

const tasks: (() => void)[] = [];
let ports: MessagePorts | undefined;

/**
 * Runs a task once everything that is under way now has settled, promises included: in the next turn of the event
 * loop. By a message, which browsers deliver at once also in a hidden tab, where they hold back timers.
 */
export function nextTurn(task: () => void): void {
  ports ??= open();
  tasks.push(task);
  ports.port2.postMessage(undefined);
}

function open(): MessagePorts {
  const opened = new MessageChannel() as unknown as MessagePorts;
  opened.port1.onmessage = () => tasks.shift()?.();
  return opened;
}
