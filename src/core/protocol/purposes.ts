/** What a signature is for. The context string of ML-DSA: a signature for one purpose verifies for no other. */
export const purposes = {
  enrolment: 'qflare/enrolment/v1',
  session: 'qflare/session/v1',
  envelope: 'qflare/envelope/v1',
  decline: 'qflare/decline/v1',
  keyCertificate: 'qflare/key-certificate/v1',
  deviceKey: 'qflare/device-key/v1',
  certificateRequest: 'qflare/certificate-request/v1',
  announcement: 'qflare/announcement/v1',
  treeHead: 'qflare/tree-head/v1',
  cosignature: 'qflare/cosignature/v1',
  modelCard: 'qflare/model-card/v1',
  exportList: 'qflare/export-list/v1',
} as const;

export type Purpose = (typeof purposes)[keyof typeof purposes];
