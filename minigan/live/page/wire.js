// The connection: commands go out as JSON, messages come in as JSON, or as JSON with arrays behind.

const KINDS = { float32: Float32Array, uint8: Uint8Array };

/** A binary message -> its JSON, with the arrays as typed arrays by name, each with its `shape`. */
export function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const message = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  for (const [name, dtype, shape] of message.arrays) {
    const count = shape.reduce((a, b) => a * b, 1);
    const array = new KINDS[dtype](buffer, at, count);
    array.shape = shape;
    message[name] = array;
    at += Math.ceil(array.byteLength / 4) * 4;
  }
  return message;
}

/** Connects, for ever again; `receive(message)` gets what comes, `linked(yes)` how it is. */
export class Wire {
  constructor(receive, linked) {
    this.receive = receive;
    this.linked = linked;
    this.connect();
  }

  connect() {
    const address = new URL("socket", location.href);
    address.protocol = "ws:";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.linked(true);
    this.socket.onmessage = ({ data }) =>
      this.receive(typeof data === "string" ? JSON.parse(data) : decode(data));
    this.socket.onclose = () => {
      this.linked(false);
      setTimeout(() => this.connect(), 1500);
    };
  }

  send(view, what, values = {}) {
    if (this.socket.readyState === WebSocket.OPEN)
      this.socket.send(JSON.stringify({ view, do: what, ...values }));
  }
}
