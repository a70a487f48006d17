@echo off
if not exist C:\sluice-guest exit /b 77
vssadmin delete shadows /all /quiet
