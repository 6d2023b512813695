export { google, vertex } from './model.ts';
export type {
  CommonOptions,
  GoogleClient,
  GoogleCredential,
  GoogleOptions,
  VertexOptions,
} from './options.ts';
