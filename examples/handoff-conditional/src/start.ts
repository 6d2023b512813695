import { play } from 'demo-model/play';
import { app } from './app.ts';
import { conversation } from './conversation.ts';

await play({ app, agent: 'customer_service', conversation });
