import { ReflectionAgent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { productJudgeScript, productScript } from '../product-script.ts';

/** A model judges, another than the one that writes. */
export const product_writer = new ReflectionAgent({
  name: 'product_writer',
  description: 'Writes a product description from facts.',
  instructions:
    'You write product descriptions from the facts in the request: all of them, nothing else, in as many words as are allowed.',
  model: environmentModel(productScript),
  criteria: ['facts', 'truth', 'brevity'],
  evaluationModel: environmentModel(productJudgeScript),
  evaluationPrompt:
    'You judge product descriptions by the request, strictly. facts: the share of its facts that the description names. truth: 1, and half as much for each claim that the facts do not say. brevity: 1 within the allowed number of words, else the allowed number divided by the number of words. In feedback, name what is missing, what is claimed without a fact and by how much it is too long. Answer as JSON.',
  reflectionThreshold: 0.95,
});
