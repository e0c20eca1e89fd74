// BPFLoad
