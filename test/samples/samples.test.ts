import './chat.ts'
