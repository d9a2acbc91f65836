export declare const allocator: Readonly<Record<'MALLOC_TRIM_THRESHOLD_' | 'MALLOC_TOP_PAD_', string>>;
export declare const nodeFlags: readonly string[];
