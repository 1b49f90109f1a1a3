"""`make faults`: a real `pulumi up` of a plan change per case, a fault in it, and the same promises after each."""
