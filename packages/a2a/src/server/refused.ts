/** The errors of the protocol (specification 3.3.2), by their names without `Error`. */
export type RefusalKind =
  | 'TaskNotFound'
  | 'TaskNotCancelable'
  | 'PushNotificationNotSupported'
  | 'UnsupportedOperation'
  | 'ContentTypeNotSupported'
  | 'ExtendedAgentCardNotConfigured'
  | 'ExtensionSupportRequired'
  | 'VersionNotSupported'
  /** The parameters are wrong: `-32602`, 400. */
  | 'RequestMalformed';

/** A request that is not done, as a client reads it. */
export class Refused extends Error {
  readonly kind: RefusalKind;
  readonly metadata: Readonly<Record<string, string>> | undefined;

  constructor(kind: RefusalKind, message: string, metadata?: Readonly<Record<string, string>>) {
    super(message);
    this.name = 'Refused';
    this.kind = kind;
    this.metadata = metadata;
  }
}

/** The same for a stranger's task and for none. */
export function noSuchTask(taskId: string): Refused {
  return new Refused('TaskNotFound', 'There is no such task, or it is not yours.', { taskId });
}
