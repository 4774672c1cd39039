import { expect, it } from 'vitest';
import { propertyOrders } from './property-order.ts';

it('says in which order schemas name their properties, where that is not the alphabet', () => {
  const text = { type: 'string' };
  expect(propertyOrders({ schema: { type: 'object', properties: { a: text, b: text } }, k: 3 })).toEqual({});
  expect(
    propertyOrders({
      schema: { properties: { reason: text, label: { type: 'object', properties: { z: text, y: text } } } },
    }),
  ).toEqual({
    'schema.properties': ['reason', 'label'],
    'schema.properties.label.properties': ['z', 'y'],
  });
});
