"""What the things of Fireside are and which changes they allow. Plain Python without input or output."""
