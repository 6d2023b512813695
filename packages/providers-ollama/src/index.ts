export { ollama } from './model.ts';
export { listModels, type ListModelsOptions, type OllamaModel } from './list-models.ts';
export type { OllamaClient, OllamaOptions, Think } from './options.ts';
