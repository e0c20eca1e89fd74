// DiskLayout
