export {
  modelEvents as listen,
  modelRequest as asking,
  modelResponse as respond,
  rejection as failure,
  userMessage as user,
  weatherTool as weather,
} from '@agent-functions/core/testing';
