// PolicyWorkbench
