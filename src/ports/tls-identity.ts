/** A device's certificate for TLS connections and the key for it, PEM. */
export type TlsIdentity = { readonly cert: string; readonly key: string };

/** Where a device keeps its certificate and key. */
export type TlsIdentityStore = {
  load(): Promise<TlsIdentity | undefined>;
  save(identity: TlsIdentity): Promise<void>;
};
