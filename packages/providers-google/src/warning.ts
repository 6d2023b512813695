import type { FilePart } from '@agent-functions/core';
import type { Warning } from '@agent-functions/core/provider';

/** A setting that this wire does not have, or not so. */
export function unsupportedSetting(message: string): Warning {
  return { type: 'warning', code: 'unsupported-setting', message };
}

/** A file that this wire cannot say at its place. */
export function unsupportedFile(part: FilePart, where: string, instead: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-part',
    message: `A file (${part.mediaType}) in ${where} was not sent to the model: this API has no place for it. ${instead}`,
  };
}
