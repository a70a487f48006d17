@echo off
if not exist C:\sluice-guest exit /b 77
echo hello > C:\users\root\Documents\hello.txt
type C:\users\root\Documents\hello.txt
