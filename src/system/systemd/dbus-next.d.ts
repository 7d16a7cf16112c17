/**
 * The part of dbus-next that is used here. The package ships types that are declared under the name of its maintained fork and are a
 * script, not a module. So the compiler does not find them under the name of the import.
 */
declare module "dbus-next" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";

  export interface MessageFields {
    readonly type?: number;
    readonly destination?: string;
    readonly path?: string;
    readonly interface?: string;
    readonly member?: string;
    readonly signature?: string;
    readonly body?: readonly unknown[];
    readonly flags?: number;
  }

  export class Message {
    constructor(fields: MessageFields);
    static newSignal(path: string, interfaceName: string, member: string, signature?: string, body?: readonly unknown[]): Message;
    static newMethodReturn(call: Message, signature?: string, body?: readonly unknown[]): Message;
    static newError(call: Message, name: string, text: string): Message;
    readonly type: number;
    readonly sender: string;
    readonly path: string;
    readonly interface: string;
    readonly member: string;
    readonly signature: string;
    readonly body: readonly unknown[];
  }

  export class DBusError extends Error {
    readonly type: string;
    readonly text: string;
  }

  export class Variant {
    constructor(signature: string, value: unknown);
    readonly signature: string;
    readonly value: unknown;
  }

  export class MessageBus extends EventEmitter {
    readonly name: string | null;
    /** Not part of the library's public interface, but the only way to the socket: see `closeBus` in dbus.ts. */
    readonly _connection: EventEmitter & { readonly stream: Socket };
    call(message: Message): Promise<Message | null>;
    send(message: Message): void;
    requestName(name: string, flags?: number): Promise<number>;
    addMethodHandler(handler: (message: Message) => boolean): void;
    disconnect(): void;
  }

  export function sessionBus(options: { readonly busAddress: string; readonly authMethods?: readonly string[] }): MessageBus;
}
